import path from 'node:path';
import { isSet, type Settings } from './settings.ts';
import { bold, dim } from './terminal.ts';

/** Prints the steps of the demo as a person would take them, with the variables that the lines use. */
export function showStep(settings: Settings, portalUrl: string, isOver: () => boolean) {
  let number = 0;
  return (title: string, curl: string | null, outcome: string): void => {
    if (isOver()) return;
    if (number === 0) introduce(settings, portalUrl);
    number += 1;
    console.log(`\n${bold(`${number}. ${title}`)}`);
    if (curl !== null) console.log(dim(`   ${curl}`));
    console.log(`   ${outcome}`);
  };
}

function introduce({ baseUrl, dataDir }: Settings, portalUrl: string): void {
  const file = path.join(dataDir, 'admin-key');
  const near = path.relative('.', file);
  const own = isSet(process.env['ADMIN_API_KEY']);
  const key = own ? '$ADMIN_API_KEY' : `$(cat ${near.startsWith('..') ? file : near})`;
  console.log(
    `\n${bold('The main job, over the public API; every line works in your shell too:')}`,
  );
  console.log(dim(`   API=${baseUrl}/api/v1 ABM=${portalUrl}/portal/api`));
  console.log(dim(`   AUTH="Authorization: Bearer ${key}"`));
}
