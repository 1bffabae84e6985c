import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { documents, missingReferences } from './doc-references.ts';

// Fails when a document names a file, a folder or an npm script that is not there.

const root = path.resolve(import.meta.dirname, '..');
const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};

const problems = documents(root).flatMap((file) =>
  missingReferences(readFileSync(path.join(root, file), 'utf8'), {
    hasScript: (name) => name in scripts,
    exists: (name) =>
      existsSync(path.join(root, name)) || existsSync(path.join(root, path.dirname(file), name)),
  }).map((problem) => `${file}:${problem.line}: ${problem.message}`),
);

for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exit(1);
