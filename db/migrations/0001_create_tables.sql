CREATE TABLE "ade_sessions" (
	"integration_id" uuid PRIMARY KEY NOT NULL,
	"sealed" "bytea",
	"key_id" text,
	"generation" integer NOT NULL,
	"claimed_until" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "api_keys" (
	"id" uuid PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"role" text NOT NULL,
	"secret_hash" "bytea" NOT NULL,
	"expires_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL,
	"last_used_at" timestamp (3) with time zone,
	CONSTRAINT "api_keys_secret_hash" UNIQUE("secret_hash"),
	CONSTRAINT "api_keys_role" CHECK ("api_keys"."role" in ('viewer', 'operator', 'admin'))
);
--> statement-breakpoint
CREATE TABLE "apple_calls" (
	"endpoint" text NOT NULL,
	"code" text NOT NULL,
	"up_to_seconds" double precision NOT NULL,
	"calls" bigint NOT NULL,
	"seconds" double precision NOT NULL,
	CONSTRAINT "apple_calls_endpoint_code_up_to_seconds_pk" PRIMARY KEY("endpoint","code","up_to_seconds")
);
--> statement-breakpoint
CREATE TABLE "audit_events" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "audit_events_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"at" timestamp (3) with time zone NOT NULL,
	"actor_kind" text NOT NULL,
	"actor_id" text,
	"actor_name" text NOT NULL,
	"request_id" text,
	"action" text NOT NULL,
	"object_type" text NOT NULL,
	"object_id" text NOT NULL,
	"before" jsonb,
	"after" jsonb
);
--> statement-breakpoint
CREATE TABLE "device_events" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "device_events_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"serial" text COLLATE "C" NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"kind" text NOT NULL,
	"run_id" uuid,
	"changes" jsonb NOT NULL,
	CONSTRAINT "device_events_kind" CHECK ("device_events"."kind" in ('modified', 'removed', 'returned', 'moved'))
);
--> statement-breakpoint
CREATE TABLE "devices" (
	"serial" text COLLATE "C" PRIMARY KEY NOT NULL,
	"integration_id" uuid NOT NULL,
	"presence" text COLLATE "C" NOT NULL,
	"assignment_state" text COLLATE "C" NOT NULL,
	"enrollment_state" text COLLATE "C" DEFAULT 'not_enrolled' NOT NULL,
	"os" text COLLATE "C" NOT NULL,
	"family" text COLLATE "C" NOT NULL,
	"model" text,
	"description" text COLLATE "C",
	"color" text,
	"asset_tag" text COLLATE "C",
	"assigned_at" timestamp (3) with time zone,
	"assigned_by" text,
	"profile_status" text,
	"profile_uuid" text,
	"profile_assigned_at" timestamp (3) with time zone,
	"profile_pushed_at" timestamp (3) with time zone,
	"attributes" jsonb NOT NULL,
	"op_type" text,
	"op_at" timestamp (3) with time zone,
	"assignment_error" text,
	"assignment_next_at" timestamp (3) with time zone,
	"assignment_attempts" integer DEFAULT 0 NOT NULL,
	"enrolled_at" timestamp (3) with time zone,
	"removed_at" timestamp (3) with time zone,
	"first_seen_at" timestamp (3) with time zone NOT NULL,
	"first_run_id" uuid,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "devices_presence" CHECK ("devices"."presence" in ('present', 'removed', 'staged'))
);
--> statement-breakpoint
CREATE TABLE "idempotency_keys" (
	"api_key_id" uuid NOT NULL,
	"key" text NOT NULL,
	"fingerprint" "bytea" NOT NULL,
	"claimed_at" timestamp (3) with time zone NOT NULL,
	"answer" "bytea",
	CONSTRAINT "idempotency_keys_api_key_id_key_pk" PRIMARY KEY("api_key_id","key")
);
--> statement-breakpoint
CREATE TABLE "integration_keys" (
	"id" uuid PRIMARY KEY NOT NULL,
	"integration_id" uuid NOT NULL,
	"role" text NOT NULL,
	"certificate_pem" text NOT NULL,
	"sealed" "bytea" NOT NULL,
	"key_id" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "integration_keys_role_once" UNIQUE("integration_id","role"),
	CONSTRAINT "integration_keys_role" CHECK ("integration_keys"."role" in ('current', 'staged'))
);
--> statement-breakpoint
CREATE TABLE "integrations" (
	"id" uuid PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"notify_emails" text[] NOT NULL,
	"page_size" integer NOT NULL,
	"token_state" text DEFAULT 'none' NOT NULL,
	"token_state_detail" text,
	"token_state_at" timestamp (3) with time zone,
	"token_expires_at" timestamp (3) with time zone,
	"token_uploaded_at" timestamp (3) with time zone,
	"paused_at" timestamp (3) with time zone,
	"organization" jsonb,
	"server_name" text,
	"server_uuid" text,
	"admin_id" text,
	"org_id_hash" text,
	"fetch_limit" integer,
	"sync_limit" integer,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "integrations_token_state" CHECK ("integrations"."token_state" in ('none', 'valid', 'terms_not_signed', 'rejected')),
	CONSTRAINT "integrations_page_size" CHECK ("integrations"."page_size" between 1 and 1000)
);
--> statement-breakpoint
CREATE TABLE "server_tokens" (
	"integration_id" uuid PRIMARY KEY NOT NULL,
	"sealed" "bytea" NOT NULL,
	"key_id" text NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "sync_positions" (
	"integration_id" uuid PRIMARY KEY NOT NULL,
	"phase" text DEFAULT 'fetch' NOT NULL,
	"cursor" text,
	"cursor_at" timestamp (3) with time zone,
	"walk_id" uuid,
	"walk_started_at" timestamp (3) with time zone,
	"last_full_at" timestamp (3) with time zone,
	"last_checked_at" timestamp (3) with time zone,
	CONSTRAINT "sync_positions_phase" CHECK ("sync_positions"."phase" in ('fetch', 'sync')),
	CONSTRAINT "sync_positions_delta_has_cursor" CHECK ("sync_positions"."phase" = 'fetch' or "sync_positions"."cursor" is not null)
);
--> statement-breakpoint
CREATE TABLE "sync_runs" (
	"id" uuid PRIMARY KEY NOT NULL,
	"integration_id" uuid NOT NULL,
	"trigger" text NOT NULL,
	"mode" text NOT NULL,
	"state" text NOT NULL,
	"pages" integer DEFAULT 0 NOT NULL,
	"added" integer DEFAULT 0 NOT NULL,
	"modified" integer DEFAULT 0 NOT NULL,
	"removed" integer DEFAULT 0 NOT NULL,
	"unchanged" integer DEFAULT 0 NOT NULL,
	"queued_at" timestamp (3) with time zone NOT NULL,
	"started_at" timestamp (3) with time zone,
	"finished_at" timestamp (3) with time zone,
	"error_code" text,
	"error_message" text,
	"waiting_for" text,
	"next_attempt_at" timestamp (3) with time zone,
	"report" jsonb,
	CONSTRAINT "sync_runs_state" CHECK ("sync_runs"."state" in ('queued', 'running', 'waiting', 'succeeded', 'failed', 'cancelled')),
	CONSTRAINT "sync_runs_mode" CHECK ("sync_runs"."mode" in ('delta', 'full'))
);
--> statement-breakpoint
CREATE TABLE "walk_pages" (
	"walk_id" uuid NOT NULL,
	"page_no" integer NOT NULL,
	"integration_id" uuid NOT NULL,
	"serials" text[] NOT NULL,
	"added" integer NOT NULL,
	"added_sample" text[] NOT NULL,
	"changed" integer NOT NULL,
	"changed_sample" text[] NOT NULL,
	CONSTRAINT "walk_pages_walk_id_page_no_pk" PRIMARY KEY("walk_id","page_no")
);
--> statement-breakpoint
ALTER TABLE "ade_sessions" ADD CONSTRAINT "ade_sessions_integration_id_integrations_id_fk" FOREIGN KEY ("integration_id") REFERENCES "public"."integrations"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "integration_keys" ADD CONSTRAINT "integration_keys_integration_id_integrations_id_fk" FOREIGN KEY ("integration_id") REFERENCES "public"."integrations"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "server_tokens" ADD CONSTRAINT "server_tokens_integration_id_integrations_id_fk" FOREIGN KEY ("integration_id") REFERENCES "public"."integrations"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "sync_positions" ADD CONSTRAINT "sync_positions_integration_id_integrations_id_fk" FOREIGN KEY ("integration_id") REFERENCES "public"."integrations"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "sync_runs" ADD CONSTRAINT "sync_runs_integration_id_integrations_id_fk" FOREIGN KEY ("integration_id") REFERENCES "public"."integrations"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "walk_pages" ADD CONSTRAINT "walk_pages_integration_id_integrations_id_fk" FOREIGN KEY ("integration_id") REFERENCES "public"."integrations"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "api_keys_oldest" ON "api_keys" USING btree ("created_at","id");--> statement-breakpoint
CREATE INDEX "device_events_of_device" ON "device_events" USING btree ("serial","id");--> statement-breakpoint
CREATE INDEX "devices_facets" ON "devices" USING btree ("integration_id","presence","assignment_state","enrollment_state","os","family","serial");--> statement-breakpoint
CREATE INDEX "devices_description" ON "devices" USING btree ("description","serial");--> statement-breakpoint
CREATE INDEX "devices_asset_tag" ON "devices" USING btree (lower("asset_tag"),"serial") WHERE "devices"."asset_tag" is not null;--> statement-breakpoint
CREATE INDEX "idempotency_keys_oldest" ON "idempotency_keys" USING btree ("claimed_at");--> statement-breakpoint
CREATE UNIQUE INDEX "integrations_server_uuid" ON "integrations" USING btree ("server_uuid") WHERE "integrations"."server_uuid" is not null;--> statement-breakpoint
CREATE INDEX "sync_runs_newest" ON "sync_runs" USING btree ("integration_id","queued_at","id");--> statement-breakpoint
CREATE UNIQUE INDEX "sync_runs_one_open" ON "sync_runs" USING btree ("integration_id") WHERE "sync_runs"."state" in ('running', 'waiting');--> statement-breakpoint
CREATE UNIQUE INDEX "sync_runs_one_queued" ON "sync_runs" USING btree ("integration_id") WHERE "sync_runs"."state" = 'queued';--> statement-breakpoint
-- Room on each page for the next version of a row: an update that touches no index stays there (HOT).
ALTER TABLE "devices" SET (fillfactor = 90);--> statement-breakpoint
ALTER TABLE "sync_positions" SET (fillfactor = 20);--> statement-breakpoint
-- Statistics and the visibility map keep up with a fleet that grows by a page at a time.
ALTER TABLE "devices" SET (autovacuum_analyze_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.1, autovacuum_vacuum_scale_factor = 0.1);
