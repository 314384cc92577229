// Puts what the server sends in its place, lets durations tick and shows times in the viewer's own time zone.
(() => {
  "use strict";

  // A swap style: each piece takes the place of the element with its id, else goes where its list's order wants it.
  htmx.defineExtension("upsert", {
    isInlineSwap: (style) => style === "upsert",
    handleSwap(style, _target, fragment) {
      if (style !== "upsert") return false;
      const followed = atEnd();
      const placed = [...fragment.children].filter(place);
      refresh();
      if (followed && placed.some((piece) => piece.dataset.into === "transcript")) {
        window.scrollTo({ top: document.documentElement.scrollHeight });
      }
      return placed;
    },
  });

  function place(piece) {
    const now = piece.id && document.getElementById(piece.id);
    if ("gone" in piece.dataset) {
      if (now) now.remove();
      return false;
    }
    if (now) {
      keepOpen(now, piece);
      now.replaceWith(piece);
      return true;
    }
    const list = document.getElementById(piece.dataset.into);
    if (!list) return false;
    const after = [...list.children].find((other) => Number(other.dataset.order) > Number(piece.dataset.order));
    list.insertBefore(piece, after || null);
    piece.classList.add("arrived");
    return true;
  }

  function keepOpen(now, piece) {
    for (const open of now.querySelectorAll("details[open][id]")) {
      const again = piece.querySelector(`#${CSS.escape(open.id)}`);
      if (again) again.open = true;
    }
  }

  function atEnd() {
    const page = document.documentElement;
    return page.scrollHeight > window.innerHeight && page.scrollHeight - window.innerHeight - window.scrollY < 80;
  }

  // Times

  const clockAhead = Date.now() - Number(document.documentElement.dataset.now); // ours may differ from the server's
  const shown = {
    clock: new Intl.DateTimeFormat(undefined, { timeStyle: "medium" }),
    day: new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" }),
    short: new Intl.DateTimeFormat(undefined, { timeStyle: "short" }),
    moment: new Intl.DateTimeFormat(undefined, {
      month: "short", day: "numeric", hour: "numeric", minute: "2-digit", second: "2-digit",
    }),
  };

  function span(ms) {
    const seconds = Math.max(0, Math.floor(ms / 1000));
    const two = (number) => String(number).padStart(2, "0");
    const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
    return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
  }

  function inWords(time) {
    const at = new Date(time.dateTime);
    if (time.dataset.show !== "when") return shown[time.dataset.show].format(at);
    const today = at.toDateString() === new Date().toDateString();
    return today ? shown.clock.format(at) : `${shown.day.format(at)}, ${shown.short.format(at)}`;
  }

  function tick() {
    const now = Date.now() - clockAhead;
    for (const time of document.querySelectorAll("time[data-since]")) {
      time.textContent = span(now - Number(time.dataset.since));
    }
  }

  // After each change

  function refresh() {
    for (const time of document.querySelectorAll("time[data-show]:not([title])")) {
      time.title = time.dateTime;
      time.textContent = inWords(time);
    }
    for (const count of document.querySelectorAll("[data-count-of]")) {
      const rows = document.getElementById(count.dataset.countOf).children.length;
      if (count.textContent !== String(rows)) count.textContent = rows;
      if ("inTitle" in count.dataset) document.title = `${rows ? `(${rows}) ` : ""}Calls · Holdfast`;
    }
    tick();
    document.dispatchEvent(new CustomEvent("console:changed"));
  }

  // The connection

  function say(words) {
    const status = document.getElementById("connection");
    status.hidden = !words;
    status.textContent = words;
  }

  function logIn() {
    location.assign(`/login?next=${encodeURIComponent(location.pathname)}`);
  }

  document.addEventListener("htmx:sseOpen", () => say(""));
  document.addEventListener("htmx:sseError", () => {
    say("Connection lost, trying again");
    // An event source does not tell why it broke: it may be the session's end.
    fetch("/static/favicon.svg", { cache: "no-store" }).then((answer) => answer.status === 401 && logIn(), () => {});
  });
  document.addEventListener("htmx:sendError", () => say("The server cannot be reached"));
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr && event.detail.xhr.status === 401) {
      event.detail.shouldSwap = false;
      logIn();
    }
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful && "reset" in event.detail.elt.dataset) event.detail.elt.reset();
  });

  document.addEventListener("DOMContentLoaded", refresh);
  document.addEventListener("htmx:afterSettle", refresh);
  setInterval(tick, 1000);
})();
