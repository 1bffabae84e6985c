import path from 'node:path';
import type { Settings } from './settings.ts';
import { bold, dim } from './terminal.ts';

/** Prints the steps of the demo as a person would take them, with the variables that the lines use. */
export function showStep(settings: Settings, portalUrl: string, isOver: () => boolean) {
  const keyFile = path.join(path.relative('.', settings.dataDir) || '.', 'admin-key');
  let number = 0;
  return (title: string, curl: string | null, outcome: string): void => {
    if (isOver()) return;
    if (number === 0) introduce(settings.baseUrl, portalUrl, keyFile);
    number += 1;
    console.log(`\n${bold(`${number}. ${title}`)}`);
    if (curl !== null) console.log(dim(`   ${curl}`));
    console.log(`   ${outcome}`);
  };
}

function introduce(baseUrl: string, portalUrl: string, keyFile: string): void {
  console.log(
    `\n${bold('The main job, over the public API; every line works in your shell too:')}`,
  );
  console.log(dim(`   API=${baseUrl}/api/v1 ABM=${portalUrl}/portal/api`));
  console.log(dim(`   AUTH="Authorization: Bearer $(cat ${keyFile})"`));
}
