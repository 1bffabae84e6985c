/**
 * Apple's spelling of the device assignment service, protocol version 10. Types only: what is true of
 * a reply is checked where it is read. Dates are `YYYY-MM-DDThh:mm:ssZ`. Apple's enumerations are
 * open, so each is the words we know or any other string.
 *
 * https://developer.apple.com/documentation/devicemanagement/device-assignment
 */

type Open<Known extends string> = Known | (string & Record<never, never>);

export interface WireSession {
  auth_session_token: string;
}

interface WireUrl {
  uri: string;
  http_method?: string[];
  limit?: { default?: number; maximum?: number };
}

export interface WireAccount {
  server_name?: string;
  server_uuid: string;
  admin_id?: string;
  /** The deprecated twin of `admin_id`. */
  facilitator_id?: string;
  org_name?: string;
  org_email?: string;
  org_phone?: string;
  org_address?: string;
  org_id?: string;
  /** SHA-256 in hex. */
  org_id_hash?: string;
  org_type?: Open<'edu' | 'org' | 'tvprovider'>;
  org_version?: Open<'v1' | 'v2'>;
  urls?: WireUrl[];
}

export interface WireDevice {
  serial_number: string;
  model?: string;
  description?: string;
  color?: string;
  asset_tag?: string;
  profile_status?: Open<'' | 'empty' | 'assigned' | 'pushed' | 'removed'>;
  profile_uuid?: string;
  profile_assign_time?: string;
  profile_push_time?: string;
  device_assigned_date?: string;
  device_assigned_by?: string;
  os?: Open<'iOS' | 'iPadOS' | 'OSX' | 'tvOS' | 'visionOS' | 'watchOS'>;
  device_family?: Open<'iPad' | 'iPhone' | 'iPod' | 'Mac' | 'AppleTV' | 'Vision' | 'Watch'>;
  mdm_migration_deadline?: string;
  /** `/devices/sync` only. */
  op_type?: Open<'added' | 'modified' | 'deleted'>;
  op_date?: string;
  /** `/devices` only. */
  response_status?: WireSerialStatus;
  bluetooth_mac_address?: string;
  ethernet_mac_address?: string;
  wifi_mac_address?: string;
  eid?: string;
  imei?: string[];
  meid?: string[];
  is_replacement_device?: boolean;
  released_by_replacement?: boolean;
}

/** Of `/server/devices`, where the cursor may be left out, and of `/devices/sync`, where it may not. */
export interface WirePageRequest {
  cursor?: string;
  limit?: number;
}

export interface WireDevicePage {
  cursor: string;
  devices: WireDevice[];
  fetched_until?: string;
  more_to_follow: boolean;
}

/** Of `/devices` and `/devices/disown`. */
export interface WireSerials {
  devices: string[];
}

export type WireSerialStatus = Open<
  'SUCCESS' | 'NOT_ACCESSIBLE' | 'NOT_FOUND' | 'FAILED' | 'THROTTLED'
>;

/** By serial; a serial that Apple does not give us carries a `response_status` and little else. */
export interface WireDeviceDetails {
  devices: Record<string, Partial<WireDevice>>;
}

/** Of `/devices/disown` and of `DELETE /profile/devices`. */
export interface WireSerialReply {
  devices: Record<string, WireSerialStatus>;
}

export interface WireProfile {
  profile_name: string;
  url: string;
  configuration_web_url?: string;
  allow_pairing?: boolean;
  is_supervised?: boolean;
  is_mdm_removable?: boolean;
  is_mandatory?: boolean;
  is_multi_user?: boolean;
  is_return_to_service?: boolean;
  await_device_configured?: boolean;
  auto_advance_setup?: boolean;
  do_not_use_profile_from_backup?: boolean;
  department?: string;
  support_phone_number?: string;
  support_email_address?: string;
  org_magic?: string;
  /** Base64 of DER. */
  anchor_certs?: string[];
  supervising_host_certs?: string[];
  language?: string;
  region?: string;
  skip_setup_items?: string[];
  /** Serials to assign while defining. */
  devices?: string[];
}

export interface WireDefineReply {
  profile_uuid: string;
  devices?: Record<string, WireSerialStatus>;
}

/** Apple does not document the `profile_uuid` that it sends along, and leaves `devices` out. */
export interface WireProfileReply extends WireProfile {
  profile_uuid?: string;
}

export interface WireAssignRequest {
  profile_uuid: string;
  devices: string[];
}

export interface WireAssignReply {
  profile_uuid?: string;
  devices: Record<string, WireSerialStatus>;
  retry_after_seconds?: number;
}

export interface WireRemoveRequest {
  devices: string[];
  /** Apple takes it and does not look at it. */
  profile_uuid?: string;
}

/**
 * One of the shapes in which refusals come; the usual one is the bare code as text, with or without
 * JSON quotes.
 */
export interface WireRefusal {
  code?: string;
  message?: string;
}
