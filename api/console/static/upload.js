// Sends a list of contacts and shows how far it is. Where a connection breaks it is sent again under the same name,
// and the API goes on behind the last line that it has read.
(() => {
  "use strict";

  const TRIES = 5;
  const PAUSE_MS = 1000;
  const AFTERWARDS_MS = [0, 1000, 4000, 15000]; // a list that was cut is read on for a moment
  const form = document.getElementById("upload");
  if (!form) return;
  const sending = document.getElementById("sending");
  const bar = sending.querySelector("progress");
  const said = document.getElementById("upload-said");
  let request = null;
  let stopped = false;

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const file = form.elements.file.files[0];
    if (!file) return;
    stopped = false;
    show(true);
    const looking = setInterval(look, PAUSE_MS);
    try {
      const [words, well] = await upload(file, address(file));
      say(words, well);
    } finally {
      clearInterval(looking);
      show(false);
      for (const later of AFTERWARDS_MS) setTimeout(look, later);
    }
  });

  sending.querySelector("button").addEventListener("click", () => {
    stopped = true;
    if (request) request.abort();
  });

  window.addEventListener("beforeunload", (event) => request && event.preventDefault());

  async function upload(file, url) {
    for (let left = TRIES; left > 0; left -= 1) {
      say("Sending, and being read …", true);
      const answer = await send(file, url);
      if (stopped) return ["Stopped. Send the same file again to go on.", false];
      if (answer) return told(answer);
      say("The connection broke; once more …", false);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    return ["The connection breaks again and again. Send the same file later to go on.", false];
  }

  function send(file, url) {
    return new Promise((resolve) => {
      request = new XMLHttpRequest();
      request.upload.onprogress = (event) => {
        bar.max = Math.max(1, event.total);
        bar.value = event.loaded;
      };
      request.onload = () => resolve({ status: request.status, text: request.responseText });
      request.onerror = request.onabort = () => resolve(null);
      request.onloadend = () => (request = null);
      request.open("PUT", url);
      request.setRequestHeader("Content-Type", "application/octet-stream");
      request.send(file);
    });
  }

  function told({ status, text }) {
    let answer = {};
    try {
      answer = JSON.parse(text);
    } catch {
      // whoever stands between has answered
    }
    if (status === 401) return ["You are logged out: log in in another window, then send it again.", false];
    if (status !== 200) {
      const fields = (answer.errors || []).map((error) => `${error.parameter || ""} ${error.detail}`.trim());
      return [fields.join(" ") || answer.detail || answer.title || `It was answered ${status}.`, false];
    }
    const bad = Object.values(answer.faults).reduce((sum, count) => sum + count, 0);
    const lines = bad ? `, ${bad} ${bad === 1 ? "line" : "lines"} passed over` : "";
    return [`${answer.added} contacts added${lines}.`, true];
  }

  // The same file has the same name, so that it can be sent again.
  function address(file) {
    const stem = file.name.replace(/\.[^.]*$/, "").normalize("NFKD").replace(/\p{M}/gu, "").replace(/[^A-Za-z0-9_-]+/g, "-");
    const name = `${stem.replace(/^-+|-+$/g, "").slice(0, 30) || "list"}-${file.size}-${file.lastModified.toString(36)}`;
    const asked = new URLSearchParams();
    for (const field of ["region", "number", "zone", "consent", "encoding"]) {
      const value = form.elements[field].value.trim();
      if (value) asked.set(field, value);
    }
    for (const column of form.elements.leave_out.value.split(",")) {
      if (column.trim()) asked.append("leave_out", column.trim());
    }
    return `${form.dataset.to}${name}?${asked}`;
  }

  function show(busy) {
    sending.hidden = !busy;
    for (const control of form.elements) control.disabled = busy;
    if (busy) bar.value = 0;
  }

  function say(words, well) {
    said.textContent = words;
    said.className = well ? "went-well" : "went-wrong";
  }

  function look() {
    htmx.trigger("#lists", "look");
  }
})();
