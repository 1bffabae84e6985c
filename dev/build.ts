import { spawnSync } from 'node:child_process';
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { bundleWorkflowCode } from '@temporalio/worker';

// Makes `dist/`: what runs without TypeScript, and the workflow bundle that the worker takes when it
// lies beside it, so that a production worker starts without webpack.

const root = path.resolve(import.meta.dirname, '..');
const dist = path.join(root, 'dist');
const compiler = path.join(root, 'node_modules/typescript/bin/tsc');

rmSync(dist, { recursive: true, force: true });
const compiled = spawnSync(
  process.execPath,
  [compiler, '-p', path.join(root, 'tsconfig.build.json')],
  {
    stdio: 'inherit',
  },
);
if (compiled.status !== 0) process.exit(1);

cpSync(path.join(root, 'db/migrations'), path.join(dist, 'db/migrations'), { recursive: true });

const { code } = await bundleWorkflowCode({
  workflowsPath: path.join(root, 'workflows/index.ts'),
});
writeFileSync(path.join(dist, 'workflow-bundle.js'), code);
console.log(`dist/ is ready; the workflow bundle has ${Math.round(code.length / 1024)} KiB.`);
