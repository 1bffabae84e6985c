/** Floor A, in a process of its own: the same pages fetched and parsed by a bare keep-alive loop. */
import { Agent, request } from 'undici';

const [baseUrl = '', session = '', limit = '1000'] = process.argv.slice(2);
const agent = new Agent({ connections: 1 });
const started = performance.now();
let pages = 0;
let devices = 0;
for (let cursor: string | undefined, more = true; more; pages += 1) {
  const { statusCode, body } = await request(`${baseUrl}/server/devices`, {
    dispatcher: agent,
    method: 'POST',
    headers: {
      'X-ADM-Auth-Session': session,
      'X-Server-Protocol-Version': '10',
      'Content-Type': 'application/json;charset=UTF8',
      'User-Agent': 'guardmdm-abm-bench/1',
    },
    body: JSON.stringify({ cursor, limit: Number(limit) }),
  });
  const page = (await body.json()) as {
    cursor: string;
    devices: unknown[];
    more_to_follow: boolean;
  };
  if (statusCode !== 200) throw new Error(`Apple answered ${statusCode}`);
  cursor = page.cursor;
  more = page.more_to_follow;
  devices += page.devices.length;
}
console.log(JSON.stringify({ ms: performance.now() - started, pages, devices }));
