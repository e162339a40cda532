// What npm the-things-network does with a server over TLS; one JSON document tells.
// Called with an address, an API key and a user.

const path = require("path");
const { Application, EndDevice, User } = require(
  path.join(process.env.THINGRIG_CLIENTS_HOME, "node_modules", "the-things-network"),
);

const [url, key, user] = process.argv.slice(2);
const host = url.replace("https://", "");
const config = {
  IDENTITY_SERVER: host,
  JOIN_SERVER: host,
  APPLICATION_SERVER: host,
  NETWORK_SERVER: host,
  API_KEY: key,
  TENANT_ID: "ttn",
};
const ids = { device_id: "meter", dev_eui: "70B3D57ED0000021", join_eui: "0000000000000001" };

async function main() {
  const told = {};
  const application = new Application("node-app", config);
  const device = new EndDevice("node-app", config);
  await new User(user, config).createApplication({
    application_id: "node-app",
    name: "made by node",
    description: "",
  });
  told.application = await application.getApplicationInfo();
  told.rights = await application.getApplicationRight();
  await device.createEndDeviceIS({ end_device: { ids } });
  await device.setEndDeviceNS({
    end_device: {
      supports_join: false,
      lorawan_version: "MAC_V1_0_3",
      lorawan_phy_version: "PHY_V1_0_3_REV_A",
      frequency_plan_id: "EU_863_870",
      ids,
      session: {
        dev_addr: "00000002",
        keys: { f_nwk_s_int_key: { key: "00112233445566778899AABBCCDDEEFF" } },
      },
    },
  });
  await device.setEndDeviceAS({
    end_device: {
      ids,
      session: {
        dev_addr: "00000002",
        keys: { app_s_key: { key: "FFEEDDCCBBAA99887766554433221100" } },
      },
    },
  });
  told.network = await device.getEndDeviceInfoNS({ device_id: "meter" });
  told.devices = await device.getEndDeviceList({});
  told.pushed = await device.downlinkQueue({
    device_id: "meter",
    payload_type: "byteArray",
    payload: [1, 2],
    port_no: 3,
    confirmed_downlink: true,
    request_type: "push",
  });
  for (const server of ["AS", "NS", "IS"]) {
    await device[`deleteEndDevice${server}`]({ device_id: "meter" });
  }
  told.deleted = await application.deleteApplication();
  try {
    await application.getApplicationInfo();
  } catch (error) {
    told.refused = error.code;
  }
  console.log(JSON.stringify(told));
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
