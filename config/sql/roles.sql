-- The three roles of Goodword and their rights, for psql 15 or newer; running it again is harmless.
--
--   goodword_owner  owns the database and runs migrations; may create databases (for tests)
--   goodword_app    web, worker and beat; owns nothing, row-level security binds it
--   goodword_ops    backups, and owner of the SECURITY DEFINER functions; passes row-level security
--
-- Passwords come from the psql variables owner_password, app_password and ops_password, or from the
-- environment variables OWNER_PASSWORD, APP_PASSWORD and OPS_PASSWORD:
--
--   psql "$ADMIN_URL" -v ON_ERROR_STOP=1 -f config/sql/roles.sql
--
-- Connect to the application's database as a role that may create roles (and, for BYPASSRLS, as a
-- superuser or a role that has it). Databases copied from template1 afterwards, such as those of the
-- tests, inherit the rights below if the script is run in template1 too.

\set ON_ERROR_STOP on
\if :{?owner_password} \else
  \getenv owner_password OWNER_PASSWORD
\endif
\if :{?app_password} \else
  \getenv app_password APP_PASSWORD
\endif
\if :{?ops_password} \else
  \getenv ops_password OPS_PASSWORD
\endif

SET client_min_messages = warning;
SET password_encryption = 'scram-sha-256';
SELECT current_setting('server_version_num')::int >= 160000 AS grants_have_options,
       current_database() = 'template1' AS in_template \gset

-- Roles.
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['goodword_owner', 'goodword_app', 'goodword_ops'] LOOP
    CONTINUE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = name);
    BEGIN
      EXECUTE format('CREATE ROLE %I', name);
    EXCEPTION WHEN duplicate_object OR unique_violation THEN  -- somebody else did, just now
    END;
  END LOOP;
END $$;

-- Roles are the server's, not the database's: a copy that runs this in another database must wait, or Postgres
-- refuses both the same row. An advisory lock would hold within one database only; a comment locks its role everywhere,
-- until the end of the transaction.
BEGIN;
COMMENT ON ROLE goodword_owner IS 'Goodword: owns the database and runs its migrations';

-- Attributes are only changed where they differ: managed servers refuse the mere mention of some.
SELECT format('ALTER ROLE %I NOSUPERUSER', rolname) FROM pg_roles
 WHERE rolname IN ('goodword_owner', 'goodword_app', 'goodword_ops') AND rolsuper \gexec
SELECT format('ALTER ROLE %I NOBYPASSRLS', rolname) FROM pg_roles
 WHERE rolname IN ('goodword_owner', 'goodword_app') AND rolbypassrls \gexec
SELECT 'ALTER ROLE goodword_ops BYPASSRLS' FROM pg_roles
 WHERE rolname = 'goodword_ops' AND NOT rolbypassrls \gexec
ALTER ROLE goodword_owner LOGIN CREATEDB NOCREATEROLE PASSWORD :'owner_password';
ALTER ROLE goodword_app LOGIN NOCREATEDB NOCREATEROLE PASSWORD :'app_password';
ALTER ROLE goodword_ops LOGIN NOCREATEDB NOCREATEROLE PASSWORD :'ops_password';

-- The application's queries name their joins in the order they are to be made: the rows asked for, then what
-- belongs to each. Weighing every other order takes longer than the query (nine tables: 6 ms of planning for 0.2 ms).
ALTER ROLE goodword_app SET join_collapse_limit = 3;

-- The owner may hand functions to ops, yet does not pass row-level security itself.
\if :grants_have_options
  GRANT goodword_ops TO goodword_owner WITH INHERIT FALSE, SET TRUE;
\else
  ALTER ROLE goodword_owner NOINHERIT;
  GRANT goodword_ops TO goodword_owner;
\endif

-- An administrator who is no superuser acts for the owner below, so must be a member of it.
SELECT 'GRANT goodword_owner TO CURRENT_USER'
 WHERE NOT pg_has_role(current_user, 'goodword_owner', 'MEMBER') \gexec

-- The database. In template1 nothing is taken from PUBLIC: other databases are copied from it.
\if :in_template \else
  SELECT format('ALTER DATABASE %I OWNER TO goodword_owner', current_database())
    FROM pg_database WHERE datname = current_database() AND datdba <> 'goodword_owner'::regrole \gexec
  SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database()) \gexec
  SELECT format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO goodword_app, goodword_ops',
                current_database()) \gexec
  REVOKE ALL ON SCHEMA public FROM PUBLIC;
\endif

GRANT ALL ON SCHEMA public TO goodword_owner;
GRANT USAGE ON SCHEMA public TO goodword_app;
GRANT USAGE, CREATE ON SCHEMA public TO goodword_ops;

-- What the owner's migrations create from now on. Functions are closed to PUBLIC, because one that is
-- SECURITY DEFINER would otherwise serve every role that can connect.
ALTER DEFAULT PRIVILEGES FOR ROLE goodword_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE goodword_owner GRANT EXECUTE ON FUNCTIONS TO goodword_app, goodword_ops;
ALTER DEFAULT PRIVILEGES FOR ROLE goodword_owner IN SCHEMA public
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO goodword_app;
ALTER DEFAULT PRIVILEGES FOR ROLE goodword_owner IN SCHEMA public
  GRANT USAGE ON SEQUENCES TO goodword_app;
-- Ops reads everything, for dumps; a function of its own that writes needs its own GRANT.
ALTER DEFAULT PRIVILEGES FOR ROLE goodword_owner IN SCHEMA public
  GRANT SELECT ON TABLES TO goodword_ops;
ALTER DEFAULT PRIVILEGES FOR ROLE goodword_owner IN SCHEMA public
  GRANT SELECT ON SEQUENCES TO goodword_ops;

COMMIT;
