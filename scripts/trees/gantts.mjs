// Draws every NAME.mmd of a folder, which are gantt charts: node scripts/trees/gantts.mjs FOLDER ENVIRONMENT
//
// Fails on any error of Mermaid, and if tasks, sections or titles of a drawing differ from its text: escaped text has
// to be shown as it was written.

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { mermaid } from "./browser.mjs";

const [folder, environment] = process.argv.slice(2);
const names = readdirSync(folder).filter((name) => name.endsWith(".mmd")).map((name) => name.slice(0, -4)).sort();
if (names.length === 0) throw new Error(`no chart in ${folder}`);
const wrong = [];

const blanks = (text) => text.replace(/ﬂ/g, "fl").replace(/\u2060/g, "").replace(/\s+/g, " ").trim();
// Escapes text as the library does.
const plain = (text) => blanks(text.replace(/#(\d+);/g, (_, code) => String.fromCodePoint(Number(code))));

// The parts of a chart, tasks in the order of their ids.
function gantt(holder) {
  const texts = (selector) => [...holder.querySelectorAll(selector)].map((text) => text.textContent);
  const number = (id) => Number(/p([0-9]+)(-text)?$/.exec(id)[1]);
  const sorted = (selector) => [...holder.querySelectorAll(selector)].sort((a, b) => number(a.id) - number(b.id));
  const milestone = (rect) => rect.classList.contains("milestone");
  return {
    bars: sorted("rect.task").map(milestone),
    tasks: sorted("text.taskText, text.taskTextOutsideRight, text.taskTextOutsideLeft").map((text) => text.textContent),
    sections: texts("text.sectionTitle"),
    title: texts("text.titleText").join(""),
  };
}

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const texts = Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, `${name}.mmd`), "utf8")]));
const drawn = mermaid(texts, environment, gantt);
for (const name of names) {
  const { error, bars, tasks, sections, title } = drawn[name];
  if (error) {
    wrong.push(`${name}: Mermaid: ${error}`);
    continue;
  }
  const lines = [...texts[name].matchAll(/^    (.*) :(milestone, )?p\d+, .*$/gm)];
  const compare = (what, got, expected) => {
    if (!same(got, expected)) wrong.push(`${name}: ${what} ${JSON.stringify(got)} in Mermaid, ${JSON.stringify(expected)} in the text`);
  };
  compare("tasks", tasks.map(blanks), lines.map((line) => plain(line[1])));
  compare("milestones", bars, lines.map((line) => line[2] !== undefined));
  compare("sections", sections.map(blanks), [...texts[name].matchAll(/^    section (.*)$/gm)].map((line) => plain(line[1])));
  compare("title", blanks(title), plain(/^    title (.*)$/m.exec(texts[name])[1]));
}

if (wrong.length > 0) {
  console.error(wrong.join("\n"));
  process.exit(1);
}
console.log(`${names.length} charts drawn by Mermaid: ${names.join(", ")}`);
