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
    text = person.textContent.toLowerCase();
    texts.set(person, text);
  }
  return text;
}

function search() {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const person of people) {
    const meets = words.every((word) => textOf(person).includes(word));
    person.hidden = !meets;
    if (meets) shown += 1;
  }
  for (const section of sections) {
    section.hidden = words.length > 0 && section.querySelector("[data-person]:not([hidden])") === null;
  }
  found.textContent =
    words.length === 0
      ? `${number(people.length)} entries`
      : `${number(shown)} of ${number(people.length)} entries`;
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
