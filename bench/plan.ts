/**
 * Plans of statements as PostgreSQL itself met them. The extension is loaded into every session and
 * silent until `explainFrom` is set: https://www.postgresql.org/docs/current/auto-explain.html
 */
export const explainSettings = {
  session_preload_libraries: 'auto_explain',
  'auto_explain.log_analyze': 'on',
  'auto_explain.log_timing': 'off',
  'auto_explain.log_format': 'json',
  'auto_explain.log_parameter_max_length': '0',
};
export const explainFrom = 'auto_explain.log_min_duration';

interface Node {
  'Node Type': string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Relation Name'?: string;
  'Index Name'?: string;
  'CTE Name'?: string;
  'Rows Removed by Filter'?: number;
  Plans?: Node[];
}

interface Explained {
  'Query Text': string;
  Plan: Node;
}

interface PlanFigures {
  /** One line a node, deeper ones further in; neither conditions nor values. */
  lines: string[];
  /** Rows that the statement took from tables, let through or not. */
  rowsRead: number;
  sequentialScans: string[];
}

/** Collects what is logged from now on; chunks may end anywhere, and may have lost the blanks there. */
export function planCollector() {
  let text = '';
  return {
    onLog: (chunk: string) => {
      text += chunk;
    },
    clear: () => {
      text = '';
    },
    plansOf: (chooses: (query: string) => boolean): PlanFigures[] =>
      [...text.matchAll(/plan:\s*\{/g)]
        .map(({ index }) => readObject(text.slice(index).replace(/^plan:\s*/, '')))
        .filter((explained) => explained !== null)
        .filter((explained) => chooses(explained['Query Text']))
        .map((explained) => figuresOf(explained.Plan)),
  };
}

/** The JSON object that a text begins with; null when another process has written into its middle. */
function readObject(text: string): Explained | null {
  let depth = 0;
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}]/g)) {
    if (token === '{') depth += 1;
    if (token === '}') depth -= 1;
    if (depth > 0) continue;
    try {
      return JSON.parse(text.slice(0, index + 1)) as Explained;
    } catch {
      return null;
    }
  }
  return null;
}

function figuresOf(root: Node): PlanFigures {
  const figures: PlanFigures = { lines: [], rowsRead: 0, sequentialScans: [] };
  const visit = (node: Node, depth: number) => {
    const loops = node['Actual Loops'];
    const rows = node['Actual Rows'] * loops;
    const relation = node['Relation Name'];
    const removed = (node['Rows Removed by Filter'] ?? 0) * loops;
    const source = [node['Index Name'] ?? '', relation ?? node['CTE Name'] ?? ''].filter(Boolean);
    figures.lines.push(
      `${'  '.repeat(depth)}${node['Node Type']}${source.length > 0 ? ` (${source.join(', ')})` : ''}: ${Math.round(rows)} rows${loops > 1 ? `, ${loops} times` : ''}`,
    );
    if (relation !== undefined && node['Node Type'].endsWith('Scan')) {
      figures.rowsRead += rows + removed;
      if (node['Node Type'] === 'Seq Scan') figures.sequentialScans.push(relation);
    }
    for (const child of node.Plans ?? []) visit(child, depth + 1);
  };
  visit(root, 0);
  return figures;
}
