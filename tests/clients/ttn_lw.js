// What the vendor's own SDK for JavaScript (npm ttn-lw) does with a server; one JSON document tells.
// Called with an address, an API key and a user.

const path = require("path");
const { default: TtnLw } = require(
  path.join(process.env.THINGRIG_CLIENTS_HOME, "node_modules", "ttn-lw"),
);

const [url, key, user] = process.argv.slice(2);
const base = `${url}/api/v3`;
const components = ["is", "gs", "ns", "as", "js", "edtc"];
const stackConfig = Object.fromEntries(components.map((name) => [name, base]));
const sdk = new TtnLw(key, { stackConfig, connectionType: "http", defaultUserId: user });
const hosts = {
  network_server_address: "127.0.0.1",
  application_server_address: "127.0.0.1",
};

const joining = {
  ids: { device_id: "joining", dev_eui: "70B3D57ED0000011", join_eui: "0000000000000001" },
  name: "joins",
  supports_join: true,
  lorawan_version: "MAC_V1_0_3",
  lorawan_phy_version: "PHY_V1_0_3_REV_A",
  frequency_plan_id: "EU_863_870",
  root_keys: { app_key: { key: "0123456789ABCDEF0123456789ABCDEF" } },
  ...hosts,
  join_server_address: "127.0.0.1",
};

const talking = {
  ids: { device_id: "talking", dev_eui: "70B3D57ED0000012", join_eui: "0000000000000001" },
  supports_join: false,
  lorawan_version: "MAC_V1_0_3",
  lorawan_phy_version: "PHY_V1_0_3_REV_A",
  frequency_plan_id: "EU_863_870",
  session: {
    dev_addr: "00000001",
    keys: {
      f_nwk_s_int_key: { key: "00112233445566778899AABBCCDDEEFF" },
      app_s_key: { key: "FFEEDDCCBBAA99887766554433221100" },
    },
  },
  ...hosts,
};

// The SDK's stream tells chunks as they come, whatever their bounds; it is asked for one event.
async function firstEvents(names) {
  const stream = await sdk.Applications.openStream(["sdk-app"]);
  return new Promise((resolve, reject) => {
    const seen = [];
    setTimeout(() => reject(new Error(`no ${names} after ${seen}`)), 10000).unref();
    stream
      .on("error", reject)
      .on("chunk", (event) => {
        seen.push(event.name);
        if (event.name === "events.stream.start") {
          sdk.Applications.updateById("sdk-app", { name: "renamed" }).catch(reject);
        }
        if (names.every((name) => seen.includes(name))) resolve(seen);
      });
  });
}

async function refused(promise) {
  try {
    await promise;
  } catch (error) {
    return error.message;
  }
  return null;
}

async function main() {
  const told = {};
  const { Applications } = sdk;
  const { Devices } = Applications;
  told.application = await Applications.create(user, {
    ids: { application_id: "sdk-app" },
    name: "made by the SDK",
  });
  told.applications = (await Applications.getAll({}, ["name"])).applications.map(
    ({ ids }) => ids.application_id,
  );
  told.key = await Applications.ApiKeys.create("sdk-app", {
    name: "listens",
    rights: ["RIGHT_APPLICATION_TRAFFIC_READ"],
  });
  await Devices.create("sdk-app", joining);
  const paths = ["name", "supports_join", "frequency_plan_id", "root_keys", "lorawan_version"];
  told.joining = await Devices.getById("sdk-app", "joining", paths.map((name) => [name]));
  await Devices.create("sdk-app", talking);
  await Devices.updateById("sdk-app", "talking", {
    formatters: { up_formatter: "FORMATTER_CAYENNELPP" },
  });
  told.talking = await Devices.getById("sdk-app", "talking", [["formatters"], ["session"]]);
  told.devices = (await Devices.getAll("sdk-app", {}, ["ids"])).end_devices.map(
    ({ ids }) => ids.device_id,
  );
  const item = { f_port: 3, frm_payload: "AQI=", priority: "NORMAL" };
  const { DownlinkQueue } = Devices;
  await DownlinkQueue.push("sdk-app", "talking", [item, item]);
  told.pushed = await DownlinkQueue.list("sdk-app", "talking");
  await DownlinkQueue.replace("sdk-app", "talking", [{ ...item, f_port: 4 }]);
  told.replaced = await DownlinkQueue.list("sdk-app", "talking");
  told.refused = await refused(Devices.getById("sdk-app", "missing", [["name"]]));
  told.events = await firstEvents(["events.stream.start", "application.update"]);
  await Devices.deleteById("sdk-app", "joining");
  await Devices.deleteById("sdk-app", "talking");
  told.left = (await Devices.getAll("sdk-app", {}, ["ids"])).end_devices;
  await Applications.deleteById("sdk-app");
  console.log(JSON.stringify(told));
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
