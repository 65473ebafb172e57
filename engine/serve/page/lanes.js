// What a stream has told so far: plain state that pages draw. Nothing here touches the document.
const COLOURS = ["#4c78a8", "#f58518", "#54a24b", "#e45756", "#72b7b2", "#b279a2", "#ff9da6", "#9d755d"];

export class Lanes {
  constructor() {
    this.names = new Map();
    this.final = [];
    this.tentative = [];
    this.speaking = new Map();
    this.captions = [];
    this.drafts = [];
    this.heard = 0;
  }

  hear(message) {
    const tell = this[`on_${message.type}`];
    if (message.speaker && !this.names.has(message.speaker)) this.names.set(message.speaker, message.name || message.speaker);
    if (message.name && message.speaker) this.names.set(message.speaker, message.name);
    if (tell) tell.call(this, message);
    this.heard = Math.max(this.heard, message.heard_s || 0, message.end_s || 0);
  }

  on_speaker_start(message) { this.speaking.set(message.speaker, message.start_s); }

  on_speaker_end(message) {
    this.speaking.delete(message.speaker);
    if (!message.withdrawn) this.final.push({ speaker: message.speaker, start_s: message.start_s, end_s: message.end_s });
  }

  on_tentative(message) {
    this.tentative = message.turns;
    for (const turn of message.turns) this.heard = Math.max(this.heard, turn.end_s);
  }

  on_revision(message) {
    const parts = [];
    for (const turn of this.final) {
      const start = Math.max(turn.start_s, message.start_s), end = Math.min(turn.end_s, message.end_s);
      if (turn.speaker !== message.speaker || start >= end) { parts.push(turn); continue; }
      if (turn.start_s < start) parts.push({ ...turn, end_s: start });
      parts.push({ speaker: message.into, start_s: start, end_s: end });
      if (end < turn.end_s) parts.push({ ...turn, start_s: end });
    }
    this.final = parts;
    if (!this.names.has(message.into)) this.names.set(message.into, message.into);
  }

  on_caption(message) {
    if (message.final) { this.captions.push(message); this.drafts = []; } else this.drafts = message.text ? [message] : [];
  }

  on_end(message) {
    this.final = message.turns;
    this.tentative = [];
    this.speaking.clear();
    for (const turn of message.turns) this.names.set(turn.speaker, turn.name);
  }

  colour(speaker) { return COLOURS[[...this.names.keys()].indexOf(speaker) % COLOURS.length]; }

  lines(most) { return [...this.captions, ...this.drafts].slice(-most).map((c) => ({ name: this.names.get(c.speaker) || "", text: c.text })); }
}

export function address(path) {
  const token = new URLSearchParams(location.search).get("token");
  const query = token ? `?token=${encodeURIComponent(token)}` : "";
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}${query}`;
}
