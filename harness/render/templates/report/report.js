// Theme, search and filters. Without this script every page still shows everything.
"use strict";

const root = document.body.dataset.root;

function remembered(key, value) {
  try {
    if (value !== undefined) localStorage.setItem(key, value);
    return localStorage.getItem(key);
  } catch {
    return null; // storage may be closed to pages that are opened from a file
  }
}

function themes() {
  const button = document.getElementById("theme");
  const prefers = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const show = (theme) => {
    document.documentElement.dataset.theme = theme;
    button.textContent = theme === "dark" ? "Light" : "Dark";
  };
  show(remembered("theme") || prefers);
  button.addEventListener("click", () => {
    const other = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    remembered("theme", other);
    show(other);
  });
}

// What is looked for is a script too, since a page that is opened from a file may not fetch.
function loadIndex(then) {
  if (window.reportIndex) return then();
  const script = document.createElement("script");
  script.src = root + "assets/search.js";
  script.addEventListener("load", then);
  document.head.append(script);
}

function matches(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return [];
  const all = window.reportIndex.filter(([title, more]) => {
    const whole = (title + " " + more).toLowerCase();
    return words.every((word) => whole.includes(word));
  });
  const first = (entry) => (words.every((word) => entry[0].toLowerCase().includes(word)) ? 0 : 1);
  return all.sort((a, b) => first(a) - first(b)).slice(0, 30);
}

function search() {
  const input = document.getElementById("search");
  const list = document.getElementById("found");
  let at = -1;

  const select = (index) => {
    const items = list.querySelectorAll("[role=option]");
    at = items.length ? (index + items.length) % items.length : -1;
    items.forEach((item, i) => item.setAttribute("aria-selected", String(i === at)));
    if (at < 0) return input.removeAttribute("aria-activedescendant");
    input.setAttribute("aria-activedescendant", items[at].id);
    items[at].scrollIntoView({ block: "nearest" });
  };
  const close = () => {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
  };
  const show = () => {
    const found = matches(input.value);
    list.replaceChildren(
      ...found.map(([title, more, page], index) => {
        const item = document.createElement("li");
        const link = document.createElement("a");
        const quiet = document.createElement("span");
        item.id = "found-" + index;
        item.setAttribute("role", "option");
        link.href = root + page;
        link.tabIndex = -1;
        link.textContent = title;
        quiet.className = "quiet";
        quiet.textContent = more.length > 140 ? more.slice(0, 139) + "…" : more;
        link.append(quiet);
        item.append(link);
        return item;
      }),
    );
    list.hidden = !found.length;
    input.setAttribute("aria-expanded", String(found.length > 0));
    select(-1 + (found.length ? 1 : 0));
  };

  input.addEventListener("input", () => loadIndex(show));
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && !list.hidden) {
      event.preventDefault();
      select(at + step);
    } else if (event.key === "Enter" && at >= 0 && !list.hidden) {
      list.querySelector("[aria-selected=true] a").click();
      close();
    } else if (event.key === "Escape") {
      close();
    }
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest(".search")) close();
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, select, textarea");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      input.focus();
    }
  });
}

// A form of selects over rows; the choice is kept in the address, so that it can be sent on.
function filters(form, rows, valueOf, noun) {
  const count = form.querySelector("output");
  const selects = [...form.querySelectorAll("select")];
  const apply = () => {
    let shown = 0;
    for (const row of rows) {
      row.hidden = !selects.every((s) => !s.value || valueOf(row, s.name) === s.value);
      if (!row.hidden) shown += 1;
    }
    count.textContent = `${shown} of ${rows.length} ${noun}`;
  };
  const read = () => {
    const wanted = new URLSearchParams(location.hash.slice(1));
    if (!selects.some((s) => wanted.has(s.name)) && location.hash) return;
    for (const s of selects) {
      s.value = wanted.get(s.name) || "";
      if (s.selectedIndex < 0) s.value = "";
    }
    apply();
  };
  const write = () => {
    const chosen = selects.filter((s) => s.value).map((s) => [s.name, s.value]);
    const hash = new URLSearchParams(chosen).toString();
    history.replaceState(null, "", hash ? "#" + hash : location.pathname);
    apply();
  };
  form.hidden = false;
  form.addEventListener("change", write);
  form.addEventListener("reset", () => setTimeout(write));
  addEventListener("hashchange", read);
  apply();
  read();
}

function numbers() {
  const form = document.getElementById("filters");
  if (!form) return;
  const table = document.getElementById("numbers");
  const names = [...form.querySelectorAll("select")].map((select) => select.name);
  const key = (name) => (names.indexOf(name) < 2 ? name : "f" + (names.indexOf(name) - 2));
  filters(form, [...table.tBodies[0].rows], (row, name) => row.dataset[key(name)], "numbers");
  sortable(table);
}

// Each heading sorts by its column, once more the other way; rows without a number stay last.
function sortable(table) {
  const body = table.tBodies[0];
  const valueOf = (row, column) => {
    const cell = row.cells[column];
    const text = cell.dataset.sort || cell.textContent.trim().replace("−", "-");
    const number = parseFloat(text);
    if (column && text === "–") return null;
    return Number.isNaN(number) || !column ? text.toLowerCase() : number;
  };
  const compare = (a, b) =>
    typeof a === typeof b && typeof a === "number" ? a - b : String(a).localeCompare(b, "en", { numeric: true });
  [...table.tHead.rows[0].cells].forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const turn = heading.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", turn > 0 ? "ascending" : "descending");
      const rows = [...body.rows].map((row) => [valueOf(row, column), row]);
      rows.sort(([a], [b]) => (a === null) - (b === null) || turn * compare(a, b));
      body.append(...rows.map(([, row]) => row));
    });
  });
}

// What is wider than the screen says so.
function hints() {
  for (const box of document.querySelectorAll(".scroll")) {
    const hint = document.createElement("p");
    hint.className = "quiet hint";
    hint.textContent = "Wider than the screen: scroll it sideways →";
    box.before(hint);
    new ResizeObserver(() => (hint.hidden = box.scrollWidth <= box.clientWidth)).observe(box);
  }
}

function claims() {
  const form = document.getElementById("claim-filters");
  if (!form) return;
  const rows = [...document.querySelectorAll(".claims > li")];
  filters(form, rows, (row, name) => row.dataset[name], "claims");
}

// While somebody watches a run, a page loads itself again after the report was written anew.
function watched() {
  if (!("watched" in document.body.dataset)) return;
  let first = null;
  setInterval(() => {
    const script = document.createElement("script");
    script.src = `${root}assets/round.js?${Date.now()}`;
    script.addEventListener("load", () => {
      script.remove();
      first ??= window.reportRound;
      if (window.reportRound !== first) location.reload();
    });
    script.addEventListener("error", () => script.remove());
    document.head.append(script);
  }, 2000);
}

// A link to a step opens it.
function opened() {
  const target = location.hash && document.getElementById(location.hash.slice(1));
  if (target instanceof HTMLDetailsElement) target.open = true;
}

document.querySelector(".tools").hidden = false;
themes();
search();
numbers();
claims();
opened();
hints();
watched();
addEventListener("hashchange", opened);
