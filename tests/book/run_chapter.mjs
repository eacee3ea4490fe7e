// Run the cells of a chapter in Pyodide under node, as the worker of a page does; write what they gave as JSON.
// usage: node run_chapter.mjs JOB.json RESULT.json

import fs from "node:fs";

const [job, target] = process.argv.slice(2);
const { pyodide, packages, archive, data, sources, blocked } = JSON.parse(fs.readFileSync(job, "utf-8"));
const bytes = (path) => new Uint8Array(fs.readFileSync(path));

const { loadPyodide } = await import(`${pyodide}/pyodide.mjs`);
const python = await loadPyodide({ indexURL: `${pyodide}/`, env: { HOME: "/home/pyodide", MPLBACKEND: "svg" } });
await python.loadPackage(packages, { messageCallback() {} });
const folder = python.runPython("import sysconfig; sysconfig.get_path('purelib')");
python.unpackArchive(bytes(archive), "zip", { extractDir: folder });
python.FS.mkdirTree(`${folder}/fo_lib/data`);
for (const path of data) python.FS.writeFile(`${folder}/fo_lib/data/${path.split("/").pop()}`, bytes(path));
const session = python.pyimport("fo_browser.session");
session.prepare(packages);

const results = [];
for (const [number, source] of sources.entries()) {
  const result = { number, text: "", error: "", figures: 0 };
  const emit = (kind, content) => {
    if (kind === "svg" || kind === "png") result.figures += 1;
    else result[kind] += content;
  };
  if (!blocked.includes(number)) session.run(number, source, emit);
  results.push(result);
}
fs.writeFileSync(target, JSON.stringify(results));
process.exit(0); // Pyodide would keep node alive
