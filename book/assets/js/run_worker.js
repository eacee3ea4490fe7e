// Python in a worker, so that a page stays alive while a cell runs. Loaded by run.js at the first press of "Run".
// It gets { load } once and then { sources, target }, and posts { kind, content, number }.

let session;
let loaded = 0; // bytes
let failed = ""; // the address that could not be read
const network = self.fetch.bind(self);

function post(kind, content = "", number = -1) {
  postMessage({ kind, content, number });
}

function count(bytes) {
  const before = Math.floor(loaded / 2e5);
  loaded += bytes;
  if (Math.floor(loaded / 2e5) !== before) post("loading", loaded);
}

// What Pyodide fetches is counted on its way; an address that does not answer is remembered for the message.
self.fetch = async (resource, options) => {
  const address = resource.url ?? String(resource);
  const response = await network(resource, options).catch((error) => {
    failed ||= address;
    throw error;
  });
  if (!response.ok) failed ||= address;
  const counter = new TransformStream({
    transform(chunk, controller) {
      count(chunk.byteLength);
      controller.enqueue(chunk);
    },
  });
  const { headers, status, statusText } = response;
  return new Response(response.body?.pipeThrough(counter), { headers, status, statusText });
};

async function fetchBytes(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${response.status} ${address}`);
  return new Uint8Array(await response.arrayBuffer());
}

async function load({ pyodide, packages, archive, data }) {
  try {
    importScripts(`${pyodide}pyodide.js`);
  } catch (error) {
    failed = `${pyodide}pyodide.js`;
    throw error;
  }
  const files = [archive, ...data].map(fetchBytes);
  const python = await loadPyodide({ indexURL: pyodide, packages, env: { HOME: "/home/pyodide", MPLBACKEND: "svg" } });
  const [library, ...others] = await Promise.all(files);
  post("preparing");
  const folder = python.runPython("import sysconfig; sysconfig.get_path('purelib')");
  python.unpackArchive(library, "zip", { extractDir: folder });
  python.FS.mkdirTree(`${folder}/fo_lib/data`);
  others.forEach((bytes, k) => python.FS.writeFile(`${folder}/fo_lib/data/${data[k].split("/").pop()}`, bytes));
  session = python.pyimport("fo_browser.session");
  session.prepare(packages);
}

function run(sources, target) {
  const cells = session.to_do(sources, target).toJs();
  post("plan", cells, target);
  for (const number of cells) {
    post("start", cells.length, number);
    if (!session.run(number, sources[number], (kind, content) => post(kind, content, number))) break;
  }
  post("end", "", target);
}

let ready;
onmessage = async ({ data }) => {
  try {
    if (data.load) ready = load(data.load);
    await ready;
    if (data.sources) run(data.sources, data.target);
  } catch (error) {
    if (data.sources) post("broken", { address: failed, reason: String(error) });
  }
};
