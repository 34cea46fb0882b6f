// Brings explorers to life on a page without a kernel. Each stands in
//   <div data-explorer="gaussian" data-state='{"mean": 0, ...}'> still picture </div>
// The model below is as much of a widget's model as an explorer asks for.

function pageModel(state) {
  const values = { state },
    listeners = {};
  return {
    get: (key) => values[key],
    set(key, value) {
      values[key] = value;
      for (const listener of listeners[`change:${key}`] ?? []) listener();
    },
    on(event, listener) {
      listeners[event] = [...(listeners[event] ?? []), listener];
    },
    off(event, listener) {
      listeners[event] = (listeners[event] ?? []).filter((l) => l !== listener);
    },
    save_changes() {},
  };
}

async function mount(host) {
  const name = host.dataset.explorer;
  if (!/^[a-z_]+$/.test(name)) throw new Error(`no explorer is called ${name}`);
  const { default: explorer } = await import(`./${name}.js`);
  const el = document.createElement("div");
  host.replaceChildren(el); // only now: until the module is here, the still picture stays
  explorer.render({ model: pageModel(JSON.parse(host.dataset.state)), el });
  host.dataset.mounted = "";
}

for (const host of document.querySelectorAll("[data-explorer]:not([data-mounted])")) mount(host);
