// Formulas in, MathML out: node mathml.mjs IN OUT, both JSON.
// IN is a list of {tex, display}; OUT a list of {mathml, speech} or {error}, in the same order.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const require = createRequire(import.meta.url);
const temml = require("temml");
const speech = require("speech-rule-engine");

const rules = join(dirname(require.resolve("speech-rule-engine/package.json")), "lib", "mathmaps");
await speech.setupEngine({ locale: "en", domain: "clearspeak", modality: "speech", json: rules });
await speech.engineReady();

// TeX sets a thin space before "ln" or "tr"; Temml does so after a letter alone, not after what it
// closes.
const NAMED =
  /(<\/(?:msub|msup|msubsup|mfrac|mover|mstyle)>|form="postfix"[^>]*>[^<]*<\/mo><\/mrow>)(?=(?:<mrow>)?<mi>[a-zA-Z]{2,}<\/mi><mo>\u2061)/gu;

const render = ({ tex, display }) => {
  try {
    const drawn = temml.renderToString(tex, {
      displayMode: display,
      throwOnError: true,
      xml: true,
    });
    const mathml = drawn.replace(NAMED, '$1<mspace width="0.1667em"></mspace>');
    return { mathml, speech: speech.toSpeech(mathml) };
  } catch (error) {
    return { error: error.message };
  }
};
const [from, to] = process.argv.slice(2);
writeFileSync(to, JSON.stringify(JSON.parse(readFileSync(from, "utf8")).map(render)));
