// A supervisor listens to a live call and takes it over, from the call's page. See docs/takeover.md.
(() => {
  "use strict";

  const AGAIN_MS = 500;
  const PATIENCE_MS = 20000; // for a connection, or a call, to come back
  const MOST_WAITING = 8000; // bytes; a network that takes no more loses frames
  const SOUND = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };
  const NO_CALL = 4404;
  const GATEWAY_LOST = 4410;

  const desk = document.getElementById("desk");
  if (!desk) return;
  const part = (name) => desk.querySelector(`[data-desk=${name}]`);
  const [listenButton, leaveButton, takeButton, backButton] = ["listen", "leave", "take", "back"].map(part);
  const pageId = [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

  let socket = null;
  let wanted = false; // to listen
  let failingSince = 0;
  let context = null;
  let line = null;
  let microphone = null; // { stream, node } while ours is on
  let asking = false; // for the floor; until the answer comes what is told of it is older
  let mine = false;
  let taken = false;

  function say(words, wrong) {
    part("status").textContent = words;
    part("status").className = wrong ? "went-wrong" : "faint";
  }

  function show() {
    listenButton.hidden = wanted;
    leaveButton.hidden = !wanted || mine;
    takeButton.hidden = mine;
    takeButton.disabled = taken && !mine;
    backButton.hidden = !mine;
    part("name").hidden = mine;
    desk.classList.toggle("speaking", mine);
  }

  // Sound

  async function loudspeakers() {
    if (context) return context.resume();
    context = new AudioContext();
    await context.audioWorklet.addModule(desk.dataset.worklet);
    line = new AudioWorkletNode(context, "desk-line", { numberOfInputs: 0, outputChannelCount: [2] });
    line.connect(context.destination);
  }

  async function openMicrophone() {
    if (!navigator.mediaDevices) throw new Error("This browser gives its microphone to pages with https only.");
    const stream = await navigator.mediaDevices.getUserMedia({ audio: SOUND });
    const node = new AudioWorkletNode(context, "desk-microphone");
    node.port.onmessage = ({ data }) => {
      const open = mine && socket && socket.readyState === WebSocket.OPEN;
      if (open && socket.bufferedAmount < MOST_WAITING) socket.send(data);
    };
    context.createMediaStreamSource(stream).connect(node).connect(context.destination); // unconnected it would not run
    microphone = { stream, node };
  }

  function closeMicrophone() {
    if (!microphone) return;
    microphone.stream.getTracks().forEach((track) => track.stop());
    microphone.node.disconnect();
    microphone = null;
  }

  // The connection

  function connect() {
    const address = new URL(`/v1/calls/${desk.dataset.call}/audio`, location.href);
    address.protocol = address.protocol.replace("http", "ws");
    socket = new WebSocket(address);
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => {
      failingSince = 0;
      if (typeof data === "string") hear(JSON.parse(data));
      else line.port.postMessage(data, [data]);
    };
    socket.onopen = () => { if (microphone) askForFloor(mine); };
    socket.onclose = lose;
  }

  function askForFloor(again) {
    const by = part("by").value.trim();
    localStorage.setItem("desk-name", by);
    asking = true;
    socket.send(JSON.stringify({ type: "take_over", page: pageId, by, again }));
  }

  function hear(message) {
    if (message.type === "clear") line.port.postMessage("clear");
    else if (message.type === "refused") giveUp(`Not taken over: ${message.reason}.`);
    else if (message.type === "floor") floorIs(message);
  }

  function floorIs(floor) {
    if (asking && !floor.mine) return;
    asking = false;
    const was = mine;
    [taken, mine] = [floor.taken, floor.mine];
    if (mine) say("You talk with the caller. The assistant is silent.");
    else if (taken) say(`${floor.by || "Somebody"} talks with the caller.`);
    else if (was) say(floor.lost ? "You were cut off: the assistant has the caller back." : "Handed back to the assistant.", floor.lost);
    else if (!microphone) say("You hear the caller on the left, the assistant on the right.");
    if (was && !mine) closeMicrophone();
    show();
  }

  function giveUp(words) {
    mine = asking = false;
    closeMicrophone();
    say(words, true);
    show();
  }

  function lose({ code, reason }) {
    socket = null;
    if (!wanted) return;
    if (code === NO_CALL) return stop(`${reason[0].toUpperCase()}${reason.slice(1)}.`);
    if (code === GATEWAY_LOST && mine) giveUp("The take-over has ended: the call's connection was lost.");
    else if (code === 1000 && mine) giveUp("The take-over has ended: the caller is not on this line any more.");
    failingSince = failingSince || Date.now();
    if (Date.now() - failingSince > PATIENCE_MS) return stop("The call cannot be heard just now.");
    if (mine) say("Connection lost, trying again …", true);
    setTimeout(() => { if (wanted && !socket) connect(); }, AGAIN_MS);
  }

  function stop(words) {
    wanted = taken = mine = asking = false;
    closeMicrophone();
    if (socket) socket.close();
    socket = null;
    if (context) context.suspend();
    say(words || "");
    show();
  }

  // The buttons

  async function listen() {
    await loudspeakers();
    wanted = true;
    failingSince = 0;
    if (!socket) connect();
    show();
  }

  async function take() {
    await loudspeakers();
    await openMicrophone();
    if (socket && socket.readyState === WebSocket.OPEN) askForFloor(false);
    await listen();
  }

  function handBack() {
    if (socket && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ type: "hand_back" }));
  }

  function on(button, act) {
    button.addEventListener("click", async () => {
      button.disabled = true;
      try {
        await act();
      } catch (error) {
        giveUp(error.name === "NotAllowedError" ? "The browser may not use the microphone." : error.message);
      } finally {
        button.disabled = false;
        show();
      }
    });
  }

  on(listenButton, listen);
  on(leaveButton, () => stop());
  on(takeButton, take);
  on(backButton, handBack);
  window.addEventListener("beforeunload", (event) => { if (mine) event.preventDefault(); });
  part("by").value = localStorage.getItem("desk-name") || "";
  desk.hidden = false;
  show();
})();
