// Draws every NAME.mmd of a folder, which are state diagrams: node scripts/trees/states.mjs FOLDER ENVIRONMENT
//
// Fails on any error of Mermaid, and if the states of a drawing, or the number of its transitions with each label,
// differ from its text.

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { mermaid } from "./browser.mjs";

const [folder, environment] = process.argv.slice(2);
const names = readdirSync(folder).filter((name) => name.endsWith(".mmd")).map((name) => name.slice(0, -4)).sort();
if (names.length === 0) throw new Error(`no diagram in ${folder}`);
const wrong = [];

// The parts of a state diagram; start and end have no label.
function states(holder) {
  const texts = (selector) => [...holder.querySelectorAll(selector)].map((text) => text.textContent.trim()).filter((text) => text);
  return {
    states: texts("g.node .nodeLabel"),
    transitions: holder.querySelectorAll("g.edgePaths path").length,
    labels: texts("g.edgeLabels .edgeLabel .edgeLabel"),
  };
}

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const texts = Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, `${name}.mmd`), "utf8")]));
const drawn = mermaid(texts, environment, states);
for (const name of names) {
  const { error, ...got } = drawn[name];
  if (error) {
    wrong.push(`${name}: Mermaid: ${error}`);
    continue;
  }
  const lines = [...texts[name].matchAll(/^    (\S+) --> ([^\s:]+)(?:: (.*))?$/gm)];
  const ends = lines.flatMap((line) => [line[1], line[2]]).filter((state) => state !== "[*]");
  const compare = (what, seen, expected) => {
    if (!same(seen, expected)) wrong.push(`${name}: ${what} ${JSON.stringify(seen)} in Mermaid, ${JSON.stringify(expected)} in the text`);
  };
  compare("states", [...new Set(got.states)].sort(), [...new Set(ends)].sort());
  compare("transitions", got.transitions, lines.length);
  compare("labels", got.labels.sort(), lines.map((line) => line[3]).filter((label) => label).sort());
}

if (wrong.length > 0) {
  console.error(wrong.join("\n"));
  process.exit(1);
}
console.log(`${names.length} state diagrams drawn by Mermaid: ${names.join(", ")}`);
