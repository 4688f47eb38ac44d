// Bare peer connections, for clients that signal outside of the page. Extends window.T of client.js.

import { handles, of, painted, show, tone, until } from '/client.js';

async function bareConnection(name) {
  const pc = new RTCPeerConnection();
  const entry = { handle: { webrtcStuff: { pc } }, remote: new Map() };
  handles.set(name, entry);
  pc.ontrack = (e) => show(entry, e.track, e.transceiver.mid, true);
  return pc;
}

async function bareLocal(pc, make) {
  await pc.setLocalDescription(await make());
  await until('gathering', () => pc.iceGatheringState === 'complete');
  return { type: pc.localDescription.type, sdp: pc.localDescription.sdp, trickle: false };
}

// options.encodings: simulcast. Of a connection that there is already: new credentials.
async function bareOffer(name, options = {}) {
  const had = handles.get(name)?.handle.webrtcStuff.pc;
  if (had) return bareLocal(had, () => had.createOffer({ iceRestart: true }));
  const pc = await bareConnection(name);
  const direction = options.recv === false ? 'sendonly' : 'sendrecv';
  pc.addTransceiver(tone(), { direction });
  const { encodings, size } = options;
  pc.addTransceiver(painted(options.colour ?? [200, 30, 30], size), { direction, sendEncodings: encodings });
  return bareLocal(pc, () => pc.createOffer());
}

async function bareAnswer(name, jsep) {
  const pc = handles.get(name)?.handle.webrtcStuff.pc ?? (await bareConnection(name));
  await pc.setRemoteDescription(jsep);
  return bareLocal(pc, () => pc.createAnswer());
}

// A connection with the data channel that janus.js opens; what came over it: bareHeard().
async function bareDataConnection(name) {
  const pc = await bareConnection(name);
  const entry = of(name);
  entry.data = [];
  entry.channel = pc.createDataChannel('JanusDataChannel');
  entry.channel.onmessage = (m) => entry.data.push(JSON.parse(m.data));
}

// Sends @message and gives what has its transaction.
async function bareAsk(name, message) {
  const { channel, data } = of(name);
  await until('an open channel', () => channel.readyState === 'open');
  channel.send(JSON.stringify(message));
  return until('an answer', () => data.find((m) => m.transaction === message.transaction));
}

function bareClose(name) {
  of(name).handle.webrtcStuff.pc.close();
  handles.delete(name);
}

const bareAccept = (name, jsep) => of(name).handle.webrtcStuff.pc.setRemoteDescription(jsep);

Object.assign(window.T, {
  bareOffer, bareAnswer, bareAccept, bareClose, bareDataConnection, bareHeard: (name) => of(name).data, bareAsk,
});
