// Write the markup of one live figure, drawn by the same scripts as in the browser.
// usage: node fo_live.js FOLDER NAME ALT
const fs = require("node:fs");
const path = require("node:path");
const vm = require("node:vm");

const [folder, name, alt] = process.argv.slice(2);
for (const file of ["mathematics.js", "drawing.js", "markup.js", `figures/${name}.js`]) {
  const place = path.join(folder, file);
  vm.runInThisContext(fs.readFileSync(place, "utf8"), place);
}
process.stdout.write(globalThis.fo.markup.page(name, alt));
