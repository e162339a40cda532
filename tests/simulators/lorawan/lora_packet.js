// The npm module lora-packet as a judge: JSON lines in, one JSON line for each out, one process.
// Knows nothing of ThingRig: every key and every counter stands in the line. Its package lies in
// the folder that LORA_PACKET_HOME names.
"use strict";
const path = require("path");
const readline = require("readline");
const lp = require(path.join(process.env.LORA_PACKET_HOME, "node_modules", "lora-packet"));

const bytes = (hex) => (hex ? Buffer.from(hex, "hex") : undefined);
const hex = (buffer) => (buffer ? buffer.toString("hex") : "");

function little16(number) {
  const buffer = Buffer.alloc(2);
  buffer.writeUInt16LE(number & 0xffff);
  return buffer;
}

function big16(number) {
  return little16(number).reverse();
}

// The upper half of a counter, in the order in which the module wants it.
const upper = (line) => little16(line.f_cnt >>> 16);

// A fresh buffer for each call: the module swaps its bytes in place.
function confirmed(line) {
  const counter = line.conf_f_cnt;
  return line.is_uplink
    ? Buffer.concat([big16(counter), Buffer.from([line.tx_dr, line.tx_ch])])
    : little16(counter);
}

function isGood(packet, line) {
  if (!line.is_1_1) return lp.verifyMIC(packet, bytes(line.f_nwk_s_int_key), undefined, upper(line));
  const forwarding = line.is_uplink ? bytes(line.f_nwk_s_int_key) : undefined;
  return lp.verifyMIC(packet, forwarding, bytes(line.s_nwk_s_int_key), upper(line), confirmed(line));
}

function judgeData(line) {
  const packet = lp.fromWire(bytes(line.phy));
  const mic = isGood(packet, line);
  const payload = packet.FRMPayload.length
    ? lp.decrypt(packet, bytes(line.app_s_key), bytes(line.nwk_s_enc_key), upper(line))
    : Buffer.alloc(0);
  const fOpts = line.is_1_1 ? packet.decryptFOpts(bytes(line.nwk_s_enc_key), undefined, upper(line)) : packet.FOpts;
  return {
    mic,
    is_uplink: packet.getDir() === "up",
    is_confirmed: packet.isConfirmed(),
    dev_addr: hex(packet.DevAddr),
    f_cnt: packet.getFCnt(),
    f_port: packet.FPort.length ? packet.getFPort() : null,
    frm_payload: hex(payload),
    f_opts: hex(fOpts),
    adr: packet.getFCtrlADR(),
    adr_ack_req: packet.getFCtrlADRACKReq(),
    ack: packet.getFCtrlACK(),
    bit_4: packet.getFCtrlFPending(),
  };
}

function judgeJoinRequest(line) {
  const packet = lp.fromWire(bytes(line.phy));
  return {
    mic: lp.verifyMIC(packet, undefined, bytes(line.key)),
    join_eui: hex(packet.JoinEUI),
    dev_eui: hex(packet.DevEUI),
    dev_nonce: packet.DevNonce.readUInt16BE(0),
  };
}

function judgeRejoinRequest(line) {
  const packet = lp.fromWire(bytes(line.phy));
  return {
    mic: lp.verifyMIC(packet, bytes(line.s_nwk_s_int_key), bytes(line.js_int_key)),
    rejoin_type: packet.RejoinType[0],
    // Its DevEUI of types 0 and 2 is right, the JoinEUI of type 1 as well.
    dev_eui: hex(packet.DevEUI),
    network: hex(packet.RejoinType[0] === 1 ? packet.JoinEUI : packet.NetID),
  };
}

function judgeJoinAccept(line) {
  const plain = lp.decryptJoinAccept(lp.fromWire(bytes(line.phy)), bytes(line.encryption_key));
  const packet = lp.fromWire(plain);
  packet.JoinReqType = Buffer.from([line.join_req_type]);
  packet.JoinEUI = bytes(line.join_eui);
  packet.DevNonce = big16(line.nonce);
  const joinServer = line.nwk_key ? lp.generateJSKeys(bytes(line.nwk_key), bytes(line.dev_eui)) : {};
  const root = bytes(line.nwk_key) || bytes(line.app_key);
  const session = packet.getDLSettingsOptNeg()
    ? lp.generateSessionKeys11(bytes(line.app_key), root, packet.JoinEUI, packet.JoinNonce, packet.DevNonce)
    : lp.generateSessionKeys10(root, packet.NetID, packet.JoinNonce, packet.DevNonce);
  return {
    mic: lp.verifyMIC(packet, joinServer.JSIntKey, root),
    join_nonce: packet.JoinNonce.readUIntBE(0, 3),
    net_id: hex(packet.NetID),
    dev_addr: hex(packet.DevAddr),
    dl_settings: packet.DLSettings[0],
    rx_delay: packet.RxDelay[0],
    cf_list: hex(packet.CFList),
    f_nwk_s_int_key: hex(session.FNwkSIntKey || session.NwkSKey),
    s_nwk_s_int_key: hex(session.SNwkSIntKey || session.NwkSKey),
    nwk_s_enc_key: hex(session.NwkSEncKey || session.NwkSKey),
    app_s_key: hex(session.AppSKey),
    js_int_key: hex(joinServer.JSIntKey),
    js_enc_key: hex(joinServer.JSEncKey),
  };
}

function makeData(line) {
  const types = line.is_uplink ? [2, 4] : [3, 5];
  const fields = {
    MType: types[line.is_confirmed ? 1 : 0],
    DevAddr: bytes(line.dev_addr),
    FCnt: big16(line.f_cnt),
    FCtrl: { ADR: line.adr, ADRACKReq: line.adr_ack_req, ACK: line.ack, FPending: line.bit_4 },
    FOpts: Buffer.from(line.f_opts, "hex"),
    FPort: line.f_port === null ? undefined : line.f_port,
    payload: Buffer.from(line.frm_payload, "hex"),
  };
  const networkKey = line.f_port === 0 ? bytes(line.nwk_s_enc_key) : undefined;
  const applicationKey = line.f_port === 0 ? undefined : bytes(line.app_s_key);
  const packet = lp.fromFields(fields, applicationKey, networkKey, undefined, upper(line));
  if (line.is_1_1) {
    packet.encryptFOpts(bytes(line.nwk_s_enc_key), undefined, upper(line));
    const forwarding = line.is_uplink ? bytes(line.f_nwk_s_int_key) : undefined;
    lp.recalculateMIC(packet, forwarding, bytes(line.s_nwk_s_int_key), upper(line), confirmed(line));
  } else {
    lp.recalculateMIC(packet, bytes(line.f_nwk_s_int_key), undefined, upper(line));
  }
  return { phy: hex(packet.getPHYPayload()) };
}

function makeJoinRequest(line) {
  const fields = { AppEUI: bytes(line.join_eui), DevEUI: bytes(line.dev_eui), DevNonce: big16(line.dev_nonce) };
  return { phy: hex(lp.fromFields(fields, undefined, undefined, bytes(line.key)).getPHYPayload()) };
}

function makeJoinAccept(line) {
  const nonce = Buffer.alloc(3);
  nonce.writeUIntBE(line.join_nonce, 0, 3);
  const fields = {
    MType: 1,
    AppNonce: nonce,
    NetID: bytes(line.net_id),
    DevAddr: bytes(line.dev_addr),
    DLSettings: Buffer.from([line.dl_settings]),
    RxDelay: Buffer.from([line.rx_delay]),
    CFList: Buffer.from(line.cf_list, "hex"),
    JoinReqType: Buffer.from([line.join_req_type]),
    AppEUI: bytes(line.join_eui),
    DevNonce: big16(line.nonce),
  };
  const joinServer = line.nwk_key ? lp.generateJSKeys(bytes(line.nwk_key), bytes(line.dev_eui)) : {};
  const packet = lp.fromFields(fields, undefined, joinServer.JSIntKey, bytes(line.nwk_key) || bytes(line.app_key));
  // Its buffer with the encrypted body is a slice of the whole one.
  return { phy: hex(packet.getPHYPayload()) };
}

const jobs = { judgeData, judgeJoinRequest, judgeRejoinRequest, judgeJoinAccept, makeData, makeJoinRequest, makeJoinAccept };

readline.createInterface({ input: process.stdin }).on("line", (text) => {
  const line = JSON.parse(text);
  process.stdout.write(JSON.stringify(jobs[line.job](line)) + "\n");
});
