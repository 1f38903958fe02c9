// child.js PROGRAM PAIRS OUTDIR TEMPLATE: synthesises, and prints what the process took.
import { App } from 'cdktf';
import { bareStack } from './bare';

const [program, pairs, outdir, template] = process.argv.slice(2);
const app = new App({ outdir });
for (let number = 1; number <= Number(pairs); number += 1) {
  if (program === 'library') {
    // Only here, so that the baseline does not pay for loading the library.
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    require('./with-library').pairStack(app, number);
  } else {
    bareStack(app, number, template);
  }
}
app.synth();
console.log(JSON.stringify(process.resourceUsage()));
