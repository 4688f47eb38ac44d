// The clients' ends of peer connections: in a page of Chromium, one for each handle that has some.
// Each opens the data channel that janus.js opens, and has m-lines for audio and video if it is told.

import { Browsers } from '../../e2e/lib/browsers.mjs';

// Runs in the page; `said` is ours.
function inPage() {
  const peers = new Map();
  const peer = (name) => {
    if (!peers.has(name)) {
      const pc = new RTCPeerConnection();
      const channel = pc.createDataChannel('JanusDataChannel');
      const p = { pc, channel, opened: new Promise((resolve) => (channel.onopen = resolve)) };
      const hear = (c) => (c.onmessage = (m) => said(name, m.data));
      hear(channel);
      pc.ondatachannel = (e) => hear(e.channel);
      peers.set(name, p);
    }
    return peers.get(name);
  };
  const described = async (pc) => {
    await pc.setLocalDescription();
    while (pc.iceGatheringState !== 'complete')
      await new Promise((resolve) => pc.addEventListener('icegatheringstatechange', resolve, { once: true }));
    return pc.localDescription.sdp;
  };
  window.P = {
    describe: (name) => described(peer(name).pc),
    media: (name) => ['audio', 'video'].forEach((kind) => peer(name).pc.addTransceiver(kind)),
    take: (name, jsep) => peer(name).pc.setRemoteDescription(jsep),
    add: (name, candidate) => peer(name).pc.addIceCandidate(candidate),
    async send(name, text) {
      const late = new Promise((resolve, reject) => setTimeout(reject, 20000, new Error('no data channel')));
      await Promise.race([peer(name).opened, late]);
      peer(name).channel.send(text);
    },
    close(name) {
      peers.get(name).pc.close();
      peers.delete(name);
    },
  };
}

export const browsers = new Browsers();

export class Peers {
  // @onText(NAME, TEXT) gets what comes over data channels.
  constructor(onText) {
    this.onText = onText;
    this.names = new Set();
  }

  has(name) {
    return this.names.has(name);
  }

  async call(verb, name, arg) {
    if (!this.page) {
      this.page = await browsers.page('chromium');
      await this.page.native.exposeFunction('said', this.onText);
      await this.page.evaluate(inPage);
    }
    this.names.add(name);
    return this.page.evaluate(([v, n, a]) => window.P[v](n, a), [verb, name, arg]);
  }

  media(name) {
    return this.call('media', name);
  }

  // @jsep of the server; describe() answers an offer.
  take(name, jsep) {
    return this.call('take', name, jsep);
  }

  add(name, candidate) {
    return this.call('add', name, candidate);
  }

  // The SDP of an answer to the offer that was taken, else that of an offer.
  describe(name) {
    return this.call('describe', name);
  }

  send(name, text) {
    return this.call('send', name, text);
  }

  async end(name) {
    if (this.names.has(name)) await this.call('close', name);
    this.names.delete(name);
  }

  async close() {
    await this.page?.close();
  }
}
