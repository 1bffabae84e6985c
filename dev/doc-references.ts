import { readdirSync } from 'node:fs';
import path from 'node:path';

export interface MissingReference {
  line: number;
  message: string;
}

interface Known {
  hasScript(name: string): boolean;
  /** Given as written: from the root or from the document's folder. */
  exists(name: string): boolean;
}

const roots =
  'activities|api|apple|bench|db|dev|docs|domain|simulator|test|workflows|mail|pki|dashboard|\\.ci';
const pathLike = new RegExp(`^(\\./)?((${roots})/[\\w./-]*|[\\w.-]+\\.(ts|md|yml|json|cjs|js))$`);

/** Markdown files of the project, relative to its root. */
export function documents(root: string): string[] {
  const skipped = new Set(['node_modules', 'dist', '.git', '.data', '.github']);
  const walk = (folder: string): string[] =>
    readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
      const name = path.join(folder, entry.name);
      if (entry.isDirectory()) return skipped.has(entry.name) ? [] : walk(name);
      return entry.name.endsWith('.md') ? [name] : [];
    });
  return walk('.');
}

/** Paths in `code` or links, and npm scripts, that are not there. Patterns (`*`, `<x>`) are no paths. */
export function missingReferences(markdown: string, known: Known): MissingReference[] {
  return markdown.split('\n').flatMap((text, index) => {
    const line = index + 1;
    const scripts = [...text.matchAll(/\bnpm run (?:-s )?([a-z][\w:-]*)/g)]
      .map(([, name = '']) => name)
      .filter((name) => !known.hasScript(name))
      .map((name) => ({ line, message: `there is no npm script "${name}"` }));
    const spans = [...text.matchAll(/`([^`\s]+)`/g)].map(([, span = '']) => span);
    const links = [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map(
      ([, target = '']) => target,
    );
    const paths = [...spans.filter((span) => pathLike.test(span)), ...links]
      .filter((name) => !known.exists(name))
      .map((name) => ({ line, message: `there is no file or folder "${name}"` }));
    return [...scripts, ...paths];
  });
}
