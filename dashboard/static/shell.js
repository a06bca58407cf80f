/* What the frame of every page does in the browser: it follows the address. The bar (dashboard/web/bar.py) is plain
   markup; a choice in it changes the address, and the page is drawn anew from there. */
(function () {
  "use strict";

  // Parameters that go along from page to page, and the one that only the map in the browser reads and writes.
  const SHARED = ["area", "pathway", "lang", "projector", "theme", "release"];
  const PLACE = "at";
  const RELEASE = "release";
  const ITEM = "item";  // the number of a view of an agenda that is shown
  const ASKING = 30000;  // milliseconds between two questions for the newest release
  const THEME = "theme";
  // The room of a meeting, which a window keeps for itself; and what of an address belongs to each reader alone.
  const MEETING = "meeting";
  const OWN = ["lang", THEME, "projector"];
  const LOST = "Connection error";
  const WORDS = { lost: "The map's computer is not answering.", copied: "Copied", name: "TACT Map" };

  // Where the product stands. Without it Streamlit tries each part of a page's path, and its first requests fail.
  const HOME = new URL("..", document.currentScript.src).href;
  window.__streamlit = { BACKEND_BASE_URL: HOME, MAIN_PAGE_BASE_URL: HOME };

  // Streamlit loads its large font of icons before anything is drawn. It comes when an icon is drawn.
  const load = document.fonts.load.bind(document.fonts);
  document.fonts.load = function (font, text) {
    return font.includes("Material Symbols") ? Promise.resolve([]) : load(font, text);
  };

  /* ---- dark or light: as the address says, else as the system wishes; light on a projector and on paper ----------- */

  const media = window.matchMedia.bind(window);
  const wish = media("(prefers-color-scheme: dark)");
  const followers = new Set();
  let printing = false;

  function isDark() {
    const address = new URLSearchParams(window.location.search);
    if (printing || address.get("projector") === "1") return false;
    const asked = address.get(THEME);
    return asked === "dark" || (asked !== "light" && wish.matches);
  }

  /* Streamlit asks the browser what the system wishes, and follows when that changes: it hears what the map decides. It is
     given all that a browser's own answer has, since its libraries ask too. */
  class Wish extends EventTarget {
    constructor(query) {
      super();
      this.media = query;
      this.onchange = null;
    }
    get matches() { return isDark() === this.media.includes("dark"); }
    addListener(follow) { this.addEventListener("change", follow); }
    removeListener(follow) { this.removeEventListener("change", follow); }
    tell() {
      const change = new MediaQueryListEvent("change", { media: this.media, matches: this.matches });
      this.dispatchEvent(change);
      if (this.onchange) this.onchange(change);
    }
  }

  const wishes = new Map();  // by their query: who asks again gets the same one

  window.matchMedia = function (query) {
    if (!query.includes("prefers-color-scheme")) return media(query);
    if (!wishes.has(query)) wishes.set(query, new Wish(query));
    return wishes.get(query);
  };

  function paint() {
    const root = document.documentElement;
    const dark = isDark();
    if (root.classList.contains("dark") === dark) return;
    root.classList.toggle("dark", dark);
    for (const asked of wishes.values()) asked.tell();
    for (const follow of followers) follow();
  }

  function print(now) {
    printing = now;
    paint();
  }

  wish.addEventListener("change", function () { sync(); });
  window.addEventListener("beforeprint", function () { print(true); });
  window.addEventListener("afterprint", function () { print(false); });

  const push = window.history.pushState.bind(window.history);
  const replace = window.history.replaceState.bind(window.history);
  let touched = false;
  let bar = null;
  let tellMeeting = null;  // what a meeting does when the view changes; given whether the reader did it
  let leadTime = 0;  // when a meeting led this window to a view

  function here() {
    return new URL(window.location.href);
  }

  /* ---- one step back for each thing that a reader did ----------------------------------------------- */

  function write(state, title, address) {
    const next = new URL(address, window.location.href);
    const samePage = next.pathname === window.location.pathname;
    // The server does not choose these; what it writes may be of the address before.
    for (const name of samePage ? [PLACE, "lang", THEME, RELEASE] : []) {
      const value = here().searchParams.get(name);
      if (value) next.searchParams.set(name, value);
      else next.searchParams.delete(name);
    }
    return { next: next, samePage: samePage };
  }

  // The page writes its view into the address, when it opens and after each choice, sometimes in several parts.
  // Only the first after something that the reader did is a step; what follows by itself belongs to that step.
  // Another page that nobody asked for is one that the reader went back from before it was there.
  window.history.pushState = function (state, title, address) {
    const written = write(state, title, address);
    const own = touched;
    if (written.next.href !== window.location.href && (written.samePage || touched)) {
      (touched ? push : replace)(state, title, written.next.href);
      touched = false;
    }
    sync();
    note(own);
  };

  window.history.replaceState = function (state, title, address) {
    replace(state, title, write(state, title, address).next.href);
    sync();
    note(false);
  };

  function touch() {
    touched = true;
  }

  /* Open an address of the product without loading the page anew: what was entered on other pages stays. */
  function go(address) {
    push({}, "", address.href);
    touched = false;
    sync();
    leadTime = 0;
    note(true);
    window.dispatchEvent(new PopStateEvent("popstate", { state: {} }));
  }

  /* ---- a meeting: its script is loaded by who is in one --------------------------------------------- */

  function note(own) {
    // What a page writes right after it was led to a view belongs to that view.
    if (tellMeeting) tellMeeting(own && Date.now() - leadTime > 1000);
  }

  /* The view in the address, without what belongs to this reader alone. */
  function readView() {
    const address = here();
    for (const name of OWN) address.searchParams.delete(name);
    if (findRelease()) address.searchParams.set(RELEASE, findRelease());
    return address.href.slice(HOME.length);
  }

  /* Show a view that another window shows. It is no step of this reader's; a map that only moves draws no page anew. */
  function followView(view) {
    const now = here();
    const next = new URL(view, HOME);
    for (const name of OWN) if (now.searchParams.has(name)) next.searchParams.set(name, now.searchParams.get(name));
    // Who has the same release open, or is asked for none, keeps the address without it.
    if ([null, findRelease()].includes(next.searchParams.get(RELEASE))) {
      if (now.searchParams.has(RELEASE)) next.searchParams.set(RELEASE, now.searchParams.get(RELEASE));
      else next.searchParams.delete(RELEASE);
    }
    if (!next.href.startsWith(HOME) || sorted(next, []) === sorted(now, [])) return;
    const moves = sorted(next, [PLACE]) === sorted(now, [PLACE]);
    leadTime = Date.now();
    touched = false;
    replace(window.history.state, "", next.href);
    sync();
    window.dispatchEvent(moves ? new Event("tact:place") : new PopStateEvent("popstate", { state: {} }));
  }

  /* ---- a newer release is said in the bar; until somebody takes it over, all stays as it is ---------------------- */

  let newest = "";

  /* The release that is open, or that this window has asked for. */
  function findRelease() {
    const fresh = bar && bar.querySelector(".fresh");
    return here().searchParams.get(RELEASE) || (fresh ? fresh.dataset.release : "");
  }

  function askForNewest() {
    if (document.visibilityState !== "visible" || !bar || !bar.querySelector(".fresh")) return;
    window.fetch(new URL("release.json", HOME)).then(function (answer) {
      return answer.ok ? answer.json() : { release: newest };
    }).then(function (found) {
      newest = found.release;
      syncNewest();
    }, function () { /* It asks again. */ });
  }

  function syncNewest() {
    const fresh = bar.querySelector(".fresh");
    if (!fresh) return;
    const button = fresh.querySelector("button");
    const link = fresh.querySelector("a");
    const words = button.dataset.words.replace("{name}", newest);
    if (button.textContent !== words) button.textContent = words;
    link.search = new URLSearchParams({ news: "1", release: newest }).toString();
    const isOld = Boolean(newest) && newest !== fresh.dataset.release;
    if (fresh.hidden === isOld) {
      fresh.hidden = !isOld;
      measure();
    }
  }

  function sorted(address, without) {
    const copy = new URL(address);
    for (const name of without) copy.searchParams.delete(name);
    copy.searchParams.sort();
    return copy.href;
  }

  function remember(room) {
    try {
      if (room) window.sessionStorage.setItem("tact-" + MEETING, JSON.stringify(room));
      else window.sessionStorage.removeItem("tact-" + MEETING);
    } catch (error) { /* Then a window that is loaded anew is in no meeting. */ }
  }

  function recall() {
    try { return JSON.parse(window.sessionStorage.getItem("tact-" + MEETING)); } catch (error) { return null; }
  }

  /* A short address leads here with the code of its room, which does not stay in the address. */
  function takeRoom() {
    const address = here();
    const code = address.searchParams.get(MEETING);
    if (code === null) return;
    const room = recall();
    if (!room || room.code !== code) remember({ code: code });
    address.searchParams.delete(MEETING);
    replace(window.history.state, "", address.href);
  }

  let loading = false;

  function loadMeeting(button, then) {
    if (window.tactmeeting) then(window.tactmeeting);
    if (window.tactmeeting || loading) return;
    loading = true;
    const script = document.createElement("script");
    script.src = button.dataset.script;
    script.addEventListener("load", function () {
      then(window.tactmeeting);
      sync();
    });
    script.addEventListener("error", function () { loading = false; script.remove(); });
    document.head.append(script);
  }

  function syncMeeting() {
    const button = bar.querySelector("button.meet");
    if (!button) return;
    if (window.tactmeeting) window.tactmeeting.sync();
    else if (recall()) loadMeeting(button, function (meeting) { meeting.join(); });
  }

  function setting(name, value) {
    const address = here();
    if (value) address.searchParams.set(name, value);
    else address.searchParams.delete(name);
    return address;
  }

  function toPage(link) {
    const address = new URL(link.getAttribute("href"), window.location.href);
    const now = here().searchParams;
    // A view of an agenda is shown as it was added: of this reader's address only what is theirs alone goes along. Its
    // release stays with it: other pages show the one that the reader had open before.
    for (const name of link.dataset.exact === undefined ? SHARED : OWN) {
      if (name === RELEASE && now.has(ITEM)) continue;
      if (now.has(name) && !address.searchParams.has(name)) address.searchParams.set(name, now.get(name));
    }
    return address;
  }

  /* ---- the bar shows what stands in the address ----------------------------------------------------- */

  function sync() {
    const address = here().searchParams;
    const root = document.documentElement;
    root.classList.toggle("projecting", address.get("projector") === "1");
    paint();
    bar = document.querySelector(".topbar");
    if (!bar) return;
    const starting = document.getElementById("starting");
    if (starting) starting.remove();
    root.lang = bar.lang;
    const skip = document.querySelector("[data-testid=stSkipToContent]");
    if (skip && bar.dataset.skip && skip.textContent !== bar.dataset.skip) skip.textContent = bar.dataset.skip;
    for (const link of bar.querySelectorAll("nav a:not(.person), a.brand")) {
      link.search = "";
      link.search = toPage(link).search;
    }
    for (const link of bar.querySelectorAll("a[data-picture]")) {
      link.search = findRelease() ? setting(RELEASE, findRelease()).search : window.location.search;
    }
    for (const link of bar.querySelectorAll("a[data-lang]")) {
      link.search = setting("lang", link.dataset.lang === "en" ? "" : link.dataset.lang).search;
    }
    const select = bar.querySelector("select[data-name=area]");
    if (select) select.value = nearest(select, address.get("area") || "");
    const pathways = Array.from(bar.querySelectorAll("button[data-pathway]"));
    const asked = address.get("pathway") || "all";
    const pathway = pathways.find(function (one) { return one.dataset.pathway === asked; }) || pathways[0];
    for (const button of pathways) button.setAttribute("aria-pressed", String(button === pathway));
    const projector = bar.querySelector("button.projector");
    if (projector) projector.setAttribute("aria-pressed", String(address.get("projector") === "1"));
    for (const dark of bar.querySelectorAll("button.dark")) dark.setAttribute("aria-pressed", String(isDark()));
    const area = select && select.value ? [select.selectedOptions[0].textContent] : [];
    measure();
    const page = bar.querySelector("nav a[aria-current=page]");
    syncMeeting();
    syncNewest();
    if (page) document.title = [...area, page.textContent, bar.dataset.name || WORDS.name].join(" · ");
  }

  /* The page begins below the bar, which has more lines on a small screen. */
  function measure() {
    if (!bar || !bar.offsetHeight) return;
    const line = document.querySelector(".meetingline");
    const lineHeight = line ? line.offsetHeight : 0;
    document.documentElement.style.setProperty("--meeting", lineHeight + "px");
    document.documentElement.style.setProperty("--head", bar.offsetHeight + lineHeight + "px");
  }

  /* A municipality is chosen on the map only, which draws no new bar: the bar shows the county or region around it. */
  function nearest(select, code) {
    const known = Array.from(select.options).some(function (option) { return option.value === code; });
    return known || !code ? code : around() || select.dataset.shown;
  }

  function around() {
    const shown = document.querySelector("[data-around]");
    return shown ? shown.dataset.around : "";
  }

  /* ---- what can be pressed -------------------------------------------------------------------------- */

  function pressed(event) {
    const target = event.target.closest ? event.target : null;
    if (!target || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    for (const open of document.querySelectorAll(".topbar details[open]")) if (!open.contains(target)) open.open = false;
    const link = target.closest("a[href]");
    const button = target.closest(".topbar button, .sharing button");
    if (link && isPage(link)) {
      event.preventDefault();
      openMenu(false);
      go(link.dataset.lang ? new URL(link.href) : toPage(link));
      // What a choice fills may be out of sight on a small screen.
      const filled = link.dataset.reveal && document.querySelector(link.dataset.reveal);
      if (filled) filled.scrollIntoView({ block: "nearest" });
    } else if (button && button.classList.contains("menu")) {
      openMenu(button.getAttribute("aria-expanded") !== "true");
    } else if (button && button.classList.contains("meet")) {
      openMenu(false);
      loadMeeting(button, function (meeting) { meeting.press(); });
    } else if (button && button.closest(".fresh")) {
      go(setting(RELEASE, newest));
    } else if (button && button.classList.contains("add")) {
      const view = readView();
      const agenda = new URL("agenda", HOME);
      for (const name of OWN) if (here().searchParams.has(name)) agenda.searchParams.set(name, here().searchParams.get(name));
      agenda.searchParams.set("add", view);
      go(agenda);
    } else if (button && button.classList.contains("copy")) {
      copy(window.location.href, button);
    } else if (button && button.classList.contains("print")) {
      openMenu(false);
      for (const open of document.querySelectorAll(".topbar details[open]")) open.open = false;
      window.print();
    } else if (button && button.classList.contains("projector")) {
      go(setting("projector", button.getAttribute("aria-pressed") === "true" ? "" : "1"));
    } else if (button && button.classList.contains("dark")) {
      const next = isDark() ? "light" : "dark";
      replace(window.history.state, "", setting(THEME, (next === "dark") === wish.matches ? "" : next).href);
      touched = false;
      openMenu(false);
      sync();
    } else if (button && button.dataset.pathway !== undefined) {
      go(setting("pathway", button.dataset.pathway === "all" ? "" : button.dataset.pathway));
    }
  }

  /* Whether a link leads to a page of the product, not to a file or to another place on this page. */
  function isPage(link) {
    const pages = Array.from(document.querySelectorAll(".topbar nav a:not(.person)"));
    if (link.origin !== window.location.origin || link.hash || link.hasAttribute("download")) return false;
    return Boolean(link.dataset.lang) || pages.some(function (page) { return page.pathname === link.pathname; });
  }

  function changed(event) {
    const select = event.target.closest && event.target.closest(".topbar select[data-name]");
    if (select) go(setting(select.dataset.name, select.value));
  }

  function openMenu(open) {
    const button = document.querySelector(".topbar .menu");
    if (button) button.setAttribute("aria-expanded", String(open));
  }

  const STEPS = { ArrowLeft: "agendaback", PageUp: "agendaback", ArrowRight: "agendanext", PageDown: "agendanext" };

  /* Who presents goes through the agenda by the keys that also remote controls of slides send. */
  function step(event) {
    const name = STEPS[event.key];
    if (!name || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, [role]:not([role=document]), iframe, summary")) return;
    const link = document.querySelector(".agendastrip a." + name);
    if (!link || !link.offsetParent) return;
    event.preventDefault();
    link.click();
  }

  function keyed(event) {
    touch();
    if (event.key !== "Escape") return;
    openMenu(false);
    for (const open of document.querySelectorAll(".topbar details[open]")) open.open = false;
  }

  /* Copy an address. Outside this machine's own address a browser may offer no clipboard: then by hand. */
  function copy(address, button) {
    function done() {
      const words = button.textContent;
      button.textContent = bar.dataset.copied || WORDS.copied;
      window.setTimeout(function () { button.textContent = words; }, 1600);
    }
    function byHand() {
      const field = document.createElement("textarea");
      field.value = address;
      document.body.append(field);
      field.select();
      document.execCommand("copy");
      field.remove();
      done();
    }
    if (navigator.clipboard) navigator.clipboard.writeText(address).then(done, byHand);
    else byHand();
  }

  /* ---- a server that is gone ------------------------------------------------------------------------ */

  /* Streamlit asks whether the reader is connected to the internet. The map needs none: its computer is gone. */
  function watchLost() {
    const dialog = Array.from(document.querySelectorAll("[role=dialog]")).find(function (one) {
      return one.textContent.includes(LOST);
    });
    const shown = document.querySelector(".lost");
    document.documentElement.classList.toggle("lost-server", Boolean(dialog));
    if (!dialog && shown) shown.remove();
    if (!dialog || shown) return;
    const box = document.createElement("div");
    box.className = "lost";
    box.setAttribute("role", "alert");
    box.textContent = (bar && bar.dataset.lost) || WORDS.lost;
    document.body.append(box);
    askForDoor();
  }

  /* Where people sign in, what looks like a server that is gone may be a session that has ended: show the door then. */
  function askForDoor() {
    if (!document.querySelector(".topbar .person")) return;
    window.fetch(new URL("release.json", HOME)).then(function (answer) {
      if (answer.status === 403) window.location.reload();
    }, function () { window.setTimeout(askForDoor, 3000); });
  }

  function start() {
    let shown = "";
    new ResizeObserver(measure).observe(document.body);
    new MutationObserver(function () {
      if (document.querySelector(".topbar") !== bar || around() !== shown) sync();
      shown = around();
      watchLost();
    }).observe(document.body, { childList: true, subtree: true });
    document.addEventListener("visibilitychange", askForNewest);
    window.setTimeout(askForNewest, 3000);
    window.setInterval(askForNewest, ASKING);
    sync();
  }

  takeRoom();
  paint();
  document.addEventListener("pointerdown", touch, true);
  document.addEventListener("keydown", keyed, true);
  document.addEventListener("keydown", step);
  document.addEventListener("click", pressed);
  document.addEventListener("change", changed);
  window.addEventListener("popstate", function () {
    sync();
    note(true);
  });
  if (document.body) start(); else document.addEventListener("DOMContentLoaded", start);

  window.tactshell = {
    isDark: isDark,
    followTheme: function (follow) {
      followers.add(follow);
      return function () { followers.delete(follow); };
    },
    touch: touch,
    readPlace: function () { return here().searchParams.get(PLACE) || ""; },
    writePlace: function (place) {
      replace(window.history.state, "", setting(PLACE, place).href);
      note(touched);
    },
    home: HOME,
    readView: readView,
    followView: followView,
    noteView: function (take) { tellMeeting = take; },
    remember: remember,
    recall: recall,
    measure: measure,
    copy: copy,
    // Where a presenter points on a map; a meeting takes it.
    point: function () {},
  };
})();
