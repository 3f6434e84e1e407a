import { CALLED_FUNCTION, RIGHTS_ON_TABLES } from '../database/server-rights.js';
import { LIST_NAME } from './migration-list.js';

interface Right {
  kind: 'SCHEMA' | 'TABLE' | 'FUNCTION';
  name: string;
  privilege: string;
}

/** To serve, and to see at start that nothing is to be migrated. */
const NEEDED: Right[] = [
  { kind: 'SCHEMA', name: 'session_alerts', privilege: 'USAGE' },
  ...Object.entries({ ...RIGHTS_ON_TABLES, [LIST_NAME]: ['SELECT'] }).flatMap(([table, privileges]) =>
    privileges.map((privilege) => ({ kind: 'TABLE' as const, name: `session_alerts.${table}`, privilege })),
  ),
  {
    kind: 'FUNCTION',
    name: `session_alerts.${CALLED_FUNCTION.name}(${CALLED_FUNCTION.types})`,
    privilege: 'EXECUTE',
  },
];

/** What the statements below ask about a role. */
export function valuesFor(role: string): unknown[] {
  return [
    role,
    NEEDED.map(({ kind }) => kind),
    NEEDED.map(({ name }) => name),
    NEEDED.map(({ privilege }) => privilege),
  ];
}

/** All that is ours, the role $1, and what it needs of it. */
const OURS = `
  receiver AS (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $1),
  needed AS (SELECT * FROM unnest($2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS needed (kind, name, privilege, place)),
  ours AS (
    SELECT 'SCHEMA' AS kind, 'session_alerts' AS name, nspowner AS owner, nspacl AS acl
      FROM pg_catalog.pg_namespace WHERE nspname = 'session_alerts'
     UNION ALL
    SELECT CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, format('session_alerts.%I', relname), relowner, relacl
      FROM pg_catalog.pg_class
     WHERE relnamespace = to_regnamespace('session_alerts') AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
     UNION ALL
    SELECT 'FUNCTION', format('session_alerts.%I(%s)', proname, oidvectortypes(proargtypes)), proowner, proacl
      FROM pg_catalog.pg_proc WHERE pronamespace = to_regnamespace('session_alerts') AND prokind <> 'p')`;

/** Of what the role was given by name; whatever it has by others, it needs its own, which nobody takes from it unawares. */
export const WRONG_RIGHTS = `
  WITH ${OURS},
       granted AS (
         SELECT kind, name, privilege_type AS privilege, is_grantable
           FROM ours, aclexplode(acl) WHERE grantee = (SELECT oid FROM receiver)),
       of_columns AS (
         SELECT 'TABLE' AS kind, format('session_alerts.%I', relname) AS name, privilege_type AS privilege
           FROM pg_catalog.pg_class JOIN pg_catalog.pg_attribute ON attrelid = pg_class.oid, aclexplode(attacl)
          WHERE relnamespace = to_regnamespace('session_alerts') AND grantee = (SELECT oid FROM receiver)),
       wrong AS (
         SELECT 'REVOKE' AS verb, too_much.*
           FROM (SELECT kind, name, privilege FROM granted UNION SELECT * FROM of_columns
                 EXCEPT SELECT kind, name, privilege FROM needed) AS too_much
          UNION ALL
         SELECT 'REVOKE GRANT OPTION FOR', handed_on.*
           FROM (SELECT kind, name, privilege FROM granted WHERE is_grantable
                 INTERSECT SELECT kind, name, privilege FROM needed) AS handed_on
          UNION ALL
         SELECT 'GRANT', lacking.*
           FROM (SELECT kind, name, privilege FROM needed
                 EXCEPT SELECT kind, name, privilege FROM granted) AS lacking)
  SELECT format('%s %s ON %s %s %s %I', verb, string_agg(privilege, ', ' ORDER BY place, privilege), kind, name,
                CASE verb WHEN 'GRANT' THEN 'TO' ELSE 'FROM' END, $1::text) AS statement
    FROM wrong LEFT JOIN needed USING (kind, name, privilege)
   GROUP BY verb, kind, name
   ORDER BY verb DESC, min(place), kind, name`;

/** What the role may beyond that, by PUBLIC or by another whose rights it has; and what it lacks outside of our schema. */
export const REMARKS = `
  WITH ${OURS}
  SELECT format('%I may also %s %s, by %s: take that from there if nothing else needs it.', $1::text,
                string_agg(DISTINCT privilege_type, ', '), name,
                CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END) AS remark
    FROM ours, aclexplode(acl)
   WHERE kind <> 'FUNCTION' AND grantee <> (SELECT oid FROM receiver)
     AND CASE grantee WHEN 0 THEN true ELSE pg_has_role((SELECT oid FROM receiver), grantee, 'USAGE') END
     AND NOT EXISTS (SELECT FROM needed
                      WHERE needed.kind = ours.kind AND needed.name = ours.name AND privilege = privilege_type)
   GROUP BY name, grantee
   UNION ALL
  SELECT format('%1$I may also make schemas in this database, for which it has no use any more: REVOKE CREATE ON DATABASE %2$I FROM %1$I.',
                $1::text, current_database())
   WHERE has_database_privilege($1, current_database(), 'CREATE')
   UNION ALL
  SELECT format('%1$I may not connect to this database: GRANT CONNECT ON DATABASE %2$I TO %1$I.', $1::text, current_database())
   WHERE NOT has_database_privilege($1, current_database(), 'CONNECT')
   ORDER BY remark`;

/** Whoever migrates owns what is made. */
export const SERVER_ROLE = `
  WITH ${OURS},
       owners AS (SELECT owner FROM ours UNION SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user)
  SELECT rolsuper AS "isSuperuser", quote_ident(rolname) AS role, pg_get_userbyid(owner) AS owner,
         quote_ident(pg_get_userbyid(owner)) AS "ownerRole"
    FROM pg_catalog.pg_roles
    LEFT JOIN owners ON pg_has_role(pg_roles.oid, owner, 'MEMBER') AND NOT rolsuper
   WHERE rolname = $1
   ORDER BY owner = pg_roles.oid DESC
   LIMIT 1`;

/** Whose it is, of what is ours, where whoever is connected may not act for them. */
export const OTHER_OWNERS = `
  WITH ${OURS}
  SELECT DISTINCT pg_get_userbyid(owner) AS owner FROM ours WHERE NOT pg_has_role(owner, 'USAGE')`;
