// The search box of a report: shows the people whose names, reasons or values hold every word that was typed.

const box = document.getElementById("search");
const field = document.getElementById("words");
const found = document.getElementById("found");
const people = [...document.querySelectorAll("[data-person]")];
const sections = [...document.querySelectorAll("[data-people]")];
const texts = new Map();

function textOf(person) {
  let text = texts.get(person);
  if (text === undefined) {
    text = spellings(person.textContent).join("\n");
    texts.set(person, text);
  }
  return text;
}

// The same rules as in src/domain/person-search.ts: accents are removed, or letters are spelled out (ä as ae).
const plain = { æ: "ae", œ: "oe", ø: "o", ß: "ss", ł: "l", đ: "d", ð: "d", þ: "th", ı: "i" };
const spelled = { ä: "ae", ö: "oe", ü: "ue", ø: "oe", å: "aa" };

function spellings(text) {
  const composed = text.toLowerCase().normalize("NFC");
  const other = composed.replaceAll(/[äöüøå]/g, (letter) => spelled[letter]);
  return other === composed ? [folded(composed)] : [folded(composed), folded(other)];
}

function folded(text) {
  return text
    .normalize("NFKD")
    .replaceAll(/[\u0300-\u036f]+/g, "")
    .replaceAll(/[æœøßłđðþı]/g, (letter) => plain[letter]);
}

function search() {
  const words = field.value
    .split(/[\s,;]+/)
    .filter(Boolean)
    .map(spellings);
  let shown = 0;
  for (const person of people) {
    const meets = words.every((word) => word.some((one) => textOf(person).includes(one)));
    person.hidden = !meets;
    if (meets) shown += 1;
  }
  for (const section of sections) {
    section.hidden = words.length > 0 && section.querySelector("[data-person]:not([hidden])") === null;
  }
  found.textContent =
    words.length === 0 ? entries(people.length) : `${number(shown)} of ${entries(people.length)}`;
}

function entries(count) {
  return `${number(count)} ${count === 1 ? "entry" : "entries"}`;
}

function number(count) {
  return count.toLocaleString("en");
}

function openAll(open) {
  for (const person of document.querySelectorAll("details[data-person]:not([hidden])")) person.open = open;
}

let waiting;
field.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(search, 120);
});
document.getElementById("open").addEventListener("click", () => openAll(true));
document.getElementById("close").addEventListener("click", () => openAll(false));
box.hidden = false;
search();
