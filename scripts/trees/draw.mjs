// Draws every NAME.mmd and NAME.dot of a folder and compares the drawings: node scripts/trees/draw.mjs FOLDER ENVIRONMENT
//
// Fails on any error of either program, if the nodes and edges of a drawing differ from its text, or if the two
// drawings of a tree differ in a label: the escapes of both formats have to give the same text.

import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { mermaid } from "./browser.mjs";

const [folder, environment] = process.argv.slice(2);
const names = readdirSync(folder).filter((name) => name.endsWith(".mmd")).map((name) => name.slice(0, -4)).sort();
if (names.length === 0) throw new Error(`no drawing in ${folder}`);
const wrong = [];

// The labels for Mermaid have two letters instead of a ligature, and an invisible joiner after a sign.
const blanks = (text) => text.replace(/ﬂ/g, "fl").replace(/\u2060/g, "").replace(/\s+/g, " ").trim();

// Ids of nodes, and pairs of ids of edges, in the form that the library writes.
function written(text, edge) {
  const nodes = [...text.matchAll(/^    ([qlg]\d+)[ [(]/gm)].map((match) => match[1]);
  const edges = [...text.matchAll(edge)].map((match) => `${match[1]}-${match[2]}`);
  // The line of an edge begins like that of a node.
  return { nodes: [...new Set(nodes)].sort(), edges: edges.sort() };
}

const unescaped = (text) =>
  text
    .replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))
    .replace(/&#x([0-9a-f]+);/gi, (_, code) => String.fromCodePoint(parseInt(code, 16)))
    .replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&quot;/g, '"').replace(/&amp;/g, "&");

// The drawing of Graphviz: labels by node, labels of edges by their ends.
function graphviz(path) {
  const svg = execFileSync("dot", ["-Tsvg", path], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], maxBuffer: 1 << 26 });
  const drawn = { nodes: {}, edges: [] };
  for (const [, kind, body] of svg.matchAll(/<g id="[^"]*" class="(node|edge)">([\s\S]*?)<\/g>/g)) {
    const title = unescaped(/<title>([\s\S]*?)<\/title>/.exec(body)[1]);
    const label = [...body.matchAll(/<text[^>]*>([\s\S]*?)<\/text>/g)].map((line) => unescaped(line[1])).join(" ");
    if (kind === "node") drawn.nodes[title] = blanks(label);
    else drawn.edges.push([title.replace("->", "-"), blanks(label)]);
  }
  return drawn;
}

// The parts of a flowchart.
function flowchart(holder) {
  const nodes = [...holder.querySelectorAll("g.node")].map((node) =>
    [/flowchart-([qlg][0-9]+)-/.exec(node.id)[1], node.querySelector(".nodeLabel, .label").textContent]);
  const edges = [...holder.querySelectorAll("path.flowchart-link")].map((edge) => edge.dataset.id || edge.id);
  const labels = [...holder.querySelectorAll("g.edgeLabels > g.edgeLabel")].map((label) => label.textContent);
  return { nodes, edges, labels };
}

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const texts = Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, `${name}.mmd`), "utf8")]));
const browser = mermaid(texts, environment, flowchart);
for (const name of names) {
  const path = join(folder, `${name}.dot`);
  const text = written(texts[name], /^    ([qlg]\d+) -->\|".*"\| ([qlg]\d+)$/gm);
  const also = written(readFileSync(path, "utf8"), /^    ([qlg]\d+) -> ([qlg]\d+) \[/gm);
  if (!same(text, also)) wrong.push(`${name}: the two texts have not the same nodes and edges`);
  let dot;
  try {
    dot = graphviz(path);
  } catch (error) {
    wrong.push(`${name}: Graphviz: ${error.stderr || error}`);
    continue;
  }
  const { error, nodes, edges, labels } = browser[name];
  if (error) {
    wrong.push(`${name}: Mermaid: ${error}`);
    continue;
  }
  if (!same(Object.keys(dot.nodes).sort(), text.nodes)) wrong.push(`${name}: Graphviz draws ${Object.keys(dot.nodes)}, the text has ${text.nodes}`);
  if (!same(dot.edges.map(([ends]) => ends).sort(), text.edges)) wrong.push(`${name}: Graphviz draws edges ${dot.edges.map(([ends]) => ends)}`);
  if (!same(nodes.map(([id]) => id).sort(), text.nodes)) wrong.push(`${name}: Mermaid draws ${nodes.map(([id]) => id)}, the text has ${text.nodes}`);
  if (edges.length !== text.edges.length) wrong.push(`${name}: Mermaid draws ${edges.length} edges, the text has ${text.edges.length}`);
  for (const [id, label] of nodes) {
    if (blanks(label) !== dot.nodes[id]) wrong.push(`${name}: ${id} reads ${JSON.stringify(blanks(label))} in Mermaid, ${JSON.stringify(dot.nodes[id])} in Graphviz`);
  }
  const here = labels.map(blanks).sort();
  const there = dot.edges.map(([, label]) => label).sort();
  here.forEach((label, at) => {
    if (label !== there[at]) wrong.push(`${name}: an answer reads ${JSON.stringify(label)} in Mermaid, ${JSON.stringify(there[at])} in Graphviz`);
  });
  if (here.length !== there.length) wrong.push(`${name}: ${here.length} answers in Mermaid, ${there.length} in Graphviz`);
}

if (wrong.length > 0) {
  console.error(wrong.join("\n"));
  process.exit(1);
}
console.log(`${names.length} trees drawn by Graphviz and Mermaid: ${names.join(", ")}`);
