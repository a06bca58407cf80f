/* A window in a meeting: it shows what the presenter shows, or presents. Loaded by shell.js when somebody opens or joins one.
   All text goes into textContent. */
(function () {
  "use strict";

  const shell = window.tactshell;
  const WAITS = [500, 1000, 2000, 4000];  // milliseconds before it tries again
  const SILENCE = 35000;  // the server says something every fifteen seconds
  const POINTING = 120;
  let words = null;
  let language = "";
  let room = null;  // { code, secret, presents }: presents is true after this window presented, also when it is loaded anew
  let place = null;  // { address, drawing }: how others come here
  let state = null;  // what the server said last
  let socket = null;
  let fresh = false;  // the line is new, and nothing was heard on it yet
  let isOffline = false;
  let over = "";  // why there is no meeting any more, or none yet
  let follows = true;
  let ownView = "";  // the view of this window
  let roomView = null;  // the view of the room that this window shows
  let tries = 0;
  let retry = 0;
  let silence = 0;
  let sending = 0;
  let pointer = null;
  let awaySince = 0;
  let panelOpen = false;
  let line = null;
  let panel = null;

  function element(name, className, text) {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function press(className, text, act) {
    const made = element("button", className, text);
    made.type = "button";
    made.addEventListener("click", act);
    return made;
  }

  function filled(text, values) {
    return text.replace(/\{(\w+)\}/g, function (whole, name) { return name in values ? values[name] : whole; });
  }

  /* ---- the conversation ----------------------------------------------------------------------------- */

  function makeSecret() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, function (byte) { return byte.toString(16).padStart(2, "0"); }).join("");
  }

  function connect() {
    window.clearTimeout(retry);
    const address = new URL("meeting/line", shell.home);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    const own = new WebSocket(address);
    socket = own;
    own.addEventListener("open", function () {
      fresh = true;
      own.send(JSON.stringify(room.code ? { code: room.code, secret: room.secret } : { open: true, secret: room.secret }));
      listen(own);
    });
    own.addEventListener("message", function (event) {
      if (socket !== own) return;
      listen(own);
      hear(JSON.parse(event.data));
    });
    own.addEventListener("close", function () {
      if (socket !== own || !room) return;
      socket = null;
      isOffline = true;
      retry = window.setTimeout(connect, WAITS[Math.min(tries, WAITS.length - 1)]);
      tries += 1;
      draw();
    });
  }

  /* A line that is broken says so late or never: it is closed when nothing has come for long. */
  function listen(own) {
    window.clearTimeout(silence);
    silence = window.setTimeout(function () {
      if (socket !== own) return;
      own.close();
      // Without an answer a browser waits long before it tells of the end.
      own.dispatchEvent(new CloseEvent("close"));
    }, SILENCE);
  }

  function hear(said) {
    if (said.ended || said.full || said.refused) {
      finish(said.ended ? "ended" : said.full ? "full" : "refused");
      return;
    }
    tries = 0;
    isOffline = false;
    if (said.code) {
      const opened = !room.code;
      room.code = said.code;
      place = said;
      shell.remember(room);
      panelOpen = panelOpen || opened;
      return;
    }
    const presented = state && state.presents;
    // A presenter who loads the page anew, or types another address, leads the room there.
    const led = presented || room.presents;
    const renewed = fresh;
    fresh = false;
    state = said;
    awaySince = said.here ? 0 : awaySince || Date.now();
    if (!said.presents && presented) follows = true;
    if (said.presents) {
      // Who is handed the meeting goes on from where it is.
      if (!led && said.view !== null) lead(said.view, !follows);
      if (!presented || renewed) send();
      follows = true;
    } else {
      if (follows && said.view !== null) lead(said.view);
      point(follows ? said.pointer : null);
    }
    if (Boolean(room.presents) !== said.presents) {
      room.presents = said.presents;
      shell.remember(room);
    }
    draw();
  }

  function lead(view, again) {
    if (view === roomView && !again) return;
    roomView = view;
    shell.followView(view);
    ownView = shell.readView();
  }

  /* Show the others what this window shows: all of it, a few times a second at most. */
  function send() {
    if (sending) return;
    sending = window.setTimeout(function () {
      sending = 0;
      if (!state || !state.presents || !socket || socket.readyState !== WebSocket.OPEN) return;
      roomView = shell.readView();
      socket.send(JSON.stringify({ view: roomView, pointer: pointer }));
    }, pointer ? POINTING : 30);
  }

  function say(message) {
    if (socket && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  }

  shell.noteView(function (own) {
    const view = shell.readView();
    if (!room || !state || view === ownView) return;
    ownView = view;
    if (state.presents) {
      send();
    } else if (own && follows) {
      follows = false;
      point(null);
      draw();
    }
  });

  shell.point = function (now) {
    if (!room || !state || !state.presents) return;
    pointer = now;
    send();
  };

  function point(where) {
    window.dispatchEvent(new CustomEvent("tact:pointer", { detail: where }));
  }

  /* ---- into a meeting and out of it ----------------------------------------------------------------- */

  function join() {
    room = shell.recall() || {};
    room.secret = room.secret || makeSecret();
    shell.remember(room);
    over = "";
    ownView = shell.readView();
    readWords(connect);
  }

  function finish(why) {
    const own = socket;
    socket = null;
    room = state = place = roomView = null;
    over = why;
    isOffline = false;
    follows = true;
    awaySince = 0;
    panelOpen = false;
    window.clearTimeout(retry);
    window.clearTimeout(silence);
    if (own) own.close();
    shell.remember(null);
    point(null);
    draw();
  }

  function follow() {
    follows = true;
    if (state && state.view !== null) lead(state.view, true);
    draw();
  }

  function lookAround() {
    follows = false;
    point(null);
    draw();
  }

  /* ---- what is seen --------------------------------------------------------------------------------- */

  function readWords(then) {
    const asked = document.documentElement.lang || "en";
    fetch(new URL("meeting/words.json?lang=" + encodeURIComponent(asked), shell.home)).then(function (answer) {
      return answer.json();
    }).then(function (found) {
      words = found;
      language = asked;
      then();
      draw();
    }, function () { retry = window.setTimeout(function () { readWords(then); }, 2000); });
  }

  function describe() {
    if (over) return words[over];
    if (isOffline || !state) return isOffline ? words.old : words.meeting;
    if (state.presents) return filled(words.presents, { number: state.members.length });
    if (state.closed) return words.closed;
    // A presenter who loads the page anew is back within seconds.
    if (awaySince && Date.now() - awaySince > 5000) return words.away;
    if (state.view === null) return words.waits;
    return follows ? words.follows : words.around;
  }

  function listButtons() {
    if (over) return [press("", words.close, function () { over = ""; draw(); })];
    const buttons = [];
    if (state && state.presents) {
      buttons.push(press("main", words.invite, toggle));
      buttons.push(press("", words.end, function () { say({ end: true }); }));
      return buttons;
    }
    if (state && state.may_take) buttons.push(press("main", words.take, function () { say({ take: true }); }));
    if (state) buttons.push(follows ? press("", words.look, lookAround) : press("main", words.back, follow));
    buttons.push(press("", words.leave, function () { finish(""); }));
    return buttons;
  }

  function toggle() {
    panelOpen = !panelOpen;
    draw();
    if (panelOpen && panel) panel.focus();
  }

  /* Draw anew what differs, so that nothing flickers and the keyboard stays where it is. */
  function draw() {
    if (!words) return;
    const root = document.documentElement;
    const present = Boolean(room || over);
    const key = present ? JSON.stringify([language, describe(), over, isOffline, follows, state && [state.presents, state.may_take]]) : "";
    if (!present && line) {
      line.remove();
      line = null;
      shell.measure();
    } else if (present && (!line || line.dataset.key !== key)) {
      if (!line) {
        line = element("section", "meetingline");
        line.append(element("p"), element("div"));
        line.firstChild.setAttribute("role", "status");
        document.body.prepend(line);
      }
      line.dataset.key = key;
      line.lang = language;
      line.setAttribute("aria-label", words.meeting);
      line.classList.toggle("old", isOffline || Boolean(over));
      line.classList.toggle("around", Boolean(state) && !state.presents && !follows);
      const text = describe();
      if (line.firstChild.textContent !== text) line.firstChild.textContent = text;
      const focused = line.lastChild.contains(document.activeElement);
      line.lastChild.replaceChildren(...listButtons());
      if (focused) line.lastChild.firstChild.focus();
      shell.measure();
    }
    root.classList.toggle("meets", present);
    // Who follows goes through no agenda by themselves.
    root.classList.toggle("follows", Boolean(state) && !state.presents && follows);
    drawPanel();
    for (const button of document.querySelectorAll("button.meet")) {
      button.setAttribute("aria-expanded", String(Boolean(panel)));
      button.classList.toggle("on", Boolean(room));
    }
  }

  function drawPanel() {
    const open = panelOpen && place && state;
    if (!open) {
      if (panel) panel.remove();
      panel = null;
      return;
    }
    const key = JSON.stringify([language, place.address, state.presents, state.members, state.you]);
    if (panel && panel.dataset.key === key) return;
    const focused = Boolean(panel) && panel.contains(document.activeElement);
    if (!panel) {
      panel = element("section", "meetingpanel");
      panel.tabIndex = -1;
      document.body.append(panel);
    }
    panel.dataset.key = key;
    panel.lang = language;
    panel.setAttribute("aria-label", words.meeting);
    const parts = [];
    const local = ["127.0.0.1", "localhost", "[::1]"].includes(window.location.hostname);
    if (place.drawing) {
      const drawing = element("img");
      drawing.src = place.drawing;
      drawing.alt = words.code;
      parts.push(drawing);
    }
    parts.push(element("p", "address", place.address.replace(/^https?:\/\//, "")));
    const copy = press("", words.copy, function () { shell.copy(place.address, copy); });
    parts.push(copy, element("p", "", words.join));
    if (local) parts.push(element("p", "quiet", words.local));
    if (state.presents) parts.push(element("h2", "", words.members), listMembers());
    else parts.push(element("p", "", filled(words.you, { number: state.you })));
    parts.push(press("", words.close, function () {
      toggle();
      if (line) line.querySelector("button").focus();
    }));
    panel.replaceChildren(...parts);
    if (focused) panel.focus();
  }

  function listMembers() {
    if (!state.members.length) return element("p", "quiet", words.alone);
    const list = element("ul");
    for (const member of state.members) {
      const name = member.name || filled(words.member, { number: member.number });
      const row = element("li", "", "");
      row.append(element("span", "", name));
      if (member.may_present) {
        const hand = press("", words.hand_over, function () { say({ hand_over: member.number }); });
        hand.setAttribute("aria-label", filled(words.hand_over_to, { name: name }));
        row.append(hand);
      }
      list.append(row);
    }
    return list;
  }

  document.addEventListener("keydown", function (event) {
    if (event.key === "Escape" && panelOpen) toggle();
  });
  window.setInterval(function () { if (awaySince) draw(); }, 1000);

  window.tactmeeting = {
    join: join,
    press: function () {
      if (room) toggle();
      else join();
    },
    /* The bar is drawn anew with each page and language. */
    sync: function () {
      if (words && document.documentElement.lang !== language && (room || over)) readWords(function () {});
      else draw();
    },
  };
})();
