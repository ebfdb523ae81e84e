// Mermaid in a headless Chromium.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

// Draws all texts with Mermaid in one browser. `collect` runs in the browser and extracts the parts of a drawing; it
// cannot use anything in this file.
export function mermaid(texts, environment, collect) {
  const work = mkdtempSync(join(tmpdir(), "hotfix-trees-"));
  try {
    const page = `<!doctype html><meta charset="utf-8"><body><script src="${pathToFileURL(resolve(environment, "mermaid.min.js"))}"></script>
<script id="texts" type="text/plain">${Buffer.from(JSON.stringify(texts)).toString("base64")}</script>
<script type="module">
const bytes = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
const texts = JSON.parse(new TextDecoder().decode(bytes(document.getElementById("texts").textContent)));
mermaid.initialize({ startOnLoad: false, securityLevel: "strict" });
const drawn = {};
for (const [name, text] of Object.entries(texts)) {
  try {
    const { svg } = await mermaid.render("drawing", text);
    const holder = document.createElement("div");
    holder.innerHTML = svg;
    for (const br of holder.querySelectorAll("br")) br.replaceWith(" ");
    drawn[name] = (${collect})(holder);
  } catch (error) {
    drawn[name] = { error: String(error) };
  }
}
const result = document.createElement("pre");
result.id = "result";
const text = new TextEncoder().encode(JSON.stringify(drawn));
result.textContent = "<<" + btoa(Array.from(text, (byte) => String.fromCharCode(byte)).join("")) + ">>";
document.body.replaceChildren(result);
</script>`;
    writeFileSync(join(work, "page.html"), page);
    const flags = [
      "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run",
      "--allow-file-access-from-files", `--user-data-dir=${join(work, "profile")}`, "--virtual-time-budget=120000", "--timeout=240000", "--dump-dom",
    ];
    const dom = execFileSync("chromium", [...flags, pathToFileURL(join(work, "page.html")).href], {
      encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], maxBuffer: 1 << 28, timeout: 300_000,
    });
    const found = /&lt;&lt;([A-Za-z0-9+/=]*)&gt;&gt;/.exec(dom);
    if (!found) throw new Error(`Chromium gave no result: ${dom.slice(0, 2000)}`);
    return JSON.parse(Buffer.from(found[1], "base64").toString("utf8"));
  } finally {
    rmSync(work, { recursive: true, force: true, maxRetries: 5 });
  }
}
