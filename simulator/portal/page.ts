import { html } from 'hono/html';
import { families } from '../fleet/catalog.ts';
import type { World } from '../world.ts';
import { describeOrganization, describeServer } from './lookup.ts';

/** The portal for a person: one page, whose forms call the same paths as programs do. */
export function portalPage(world: World) {
  const servers = [...world.servers.values()].map(describeServer);
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Simulated Apple Business Manager</title>
        <style>
          body {
            font:
              15px/1.5 system-ui,
              sans-serif;
            max-width: 62rem;
            margin: 2rem auto;
            padding: 0 1rem;
          }
          table {
            border-collapse: collapse;
            width: 100%;
          }
          th,
          td {
            text-align: left;
            padding: 0.4rem 0.8rem 0.4rem 0;
            border-bottom: 1px solid #ddd;
            vertical-align: top;
          }
          form {
            margin: 0.4rem 0;
          }
        </style>
      </head>
      <body>
        <h1>Simulated Apple Business Manager</h1>
        ${world.organizations.map(describeOrganization).map(
          (organization) => html`
            <h2>${organization.name}</h2>
            <p>
              Organization ${organization.id}: ${organization.devices} devices,
              ${organization.unassigned} unassigned, ${organization.released} released. Terms are
              ${organization.termsAccepted ? 'accepted' : 'not accepted'}.
            </p>
            <form
              data-put="/portal/api/terms"
              data-json="${JSON.stringify({
                organization: organization.id,
                accepted: !organization.termsAccepted,
              })}"
            >
              <button>${organization.termsAccepted ? 'Withdraw' : 'Accept'} the terms</button>
            </form>
          `,
        )}
        <h2>Device management services</h2>
        <table>
          <tr>
            <th>Name</th>
            <th>Devices</th>
            <th>Token until</th>
            <th>Last connected</th>
            <th></th>
          </tr>
          ${servers.map(
            (server) => html`
              <tr>
                <td>
                  ${server.name}<br /><small>${server.organization.name}, ${server.uuid}</small>
                </td>
                <td>${server.devices}</td>
                <td>${server.token?.expiresAt ?? 'none'}</td>
                <td>${server.lastConnectedAt ?? 'never'}</td>
                <td>
                  <form method="post" action="/portal/api/servers/${server.uuid}/token">
                    <button>Download token</button> (ends the one before)
                  </form>
                  <form
                    data-post="/portal/api/servers/${server.uuid}/devices"
                    data-json="${JSON.stringify({ all: true })}"
                  >
                    <button>Assign all unassigned devices</button>
                  </form>
                  <form data-post="/portal/api/servers/${server.uuid}/devices">
                    <input type="file" name="file" accept=".csv,.txt" required />
                    <button>Assign serials of a CSV</button>
                  </form>
                  <form
                    data-put="/portal/api/defaults"
                    data-json="${JSON.stringify(
                      Object.fromEntries([
                        ...families.map((family) => [family, server.uuid]),
                        ['organization', server.organization.id],
                      ]),
                    )}"
                  >
                    <button>Default for all families</button>
                    ${server.defaultFor.join(', ')}
                  </form>
                </td>
              </tr>
            `,
          )}
        </table>
        <h2>Add a service</h2>
        <form data-post="/portal/api/servers">
          <p>
            <label>Name <input name="name" required /></label>
          </p>
          <p>
            <label
              >Organization
              <select name="organization">
                ${world.organizations.map(
                  ({ id, name }) => html`<option value="${id}">${name}</option>`,
                )}
              </select></label
            >
          </p>
          <p>
            <label>Certificate (.pem) <input type="file" name="certificate" required /></label>
          </p>
          <p>
            <label><input type="checkbox" name="assignAll" /> Assign all unassigned devices</label>
          </p>
          <button>Save</button>
        </form>
        <script>
          document.addEventListener('submit', async (event) => {
            const form = event.target;
            const path = form.dataset.post ?? form.dataset.put;
            if (path === undefined) return;
            event.preventDefault();
            const json = form.dataset.json;
            const answer = await fetch(path, {
              method: form.dataset.post ? 'POST' : 'PUT',
              headers: json ? { 'content-type': 'application/json' } : {},
              body: json ?? new FormData(form),
            });
            if (answer.ok) location.reload();
            else alert((await answer.json()).error);
          });
        </script>
      </body>
    </html>`;
}
