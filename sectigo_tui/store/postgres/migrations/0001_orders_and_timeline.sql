-- Orders, their timeline and polls, collected bundles, who polls, and how logins stand: never a secret.
-- A writer has no right to any table: it calls the functions below, which belong to the owner.

create table accounts (
    id integer generated always as identity primary key,
    base_url text not null,
    customer_uri text not null,
    change bigint not null default 0,   -- grows by one with every change; the row's lock puts changes in order
    seq bigint not null default 0,      -- the newest timeline entry
    hash bytea not null default decode(repeat('00', 32), 'hex'),
    unique (base_url, customer_uri)
);

create table orders (
    account integer not null references accounts,
    id text not null,
    revision bigint not null,
    change bigint not null,
    state text not null,
    removed boolean not null,
    ssl_id bigint,
    renews_ssl_id bigint,
    common_name text not null,
    version integer not null,           -- of the document
    document json not null,
    primary key (account, id)
) with (fillfactor = 60);               -- most changes touch no index; what changed is told by notices
-- An order is local once, and nothing is ordered or renewed twice: whoever comes second is refused here.
create unique index one_order_for_an_ssl_id on orders (account, ssl_id) where ssl_id is not null and not removed;
create unique index one_intent_for_a_name on orders (account, lower(common_name))
    where state = 'intent' and not removed and common_name <> '';
create unique index one_renewal_of_an_order on orders (account, renews_ssl_id)
    where state in ('intent', 'unconfirmed') and not removed and renews_ssl_id is not null;

create table entries (
    account integer not null references accounts,
    seq bigint not null,
    order_id text not null,
    at timestamptz not null,
    prev bytea not null,
    hash bytea not null,                -- sha256(prev || seq || ' ' || body)
    body json not null,                 -- what happened, by whom, and the SHA-256 of the order's document after it
    primary key (account, seq)
);
create index entries_of_an_order on entries (account, order_id, seq);

create table polls (
    account integer not null references accounts,
    order_id text not null,
    change bigint not null,
    revision bigint not null,
    note json not null,                 -- the order's polling window
    polls json[] not null,              -- the newest, oldest first
    primary key (account, order_id)
) with (fillfactor = 60);

create table certificates (
    account integer not null references accounts,
    name text not null,                 -- the file's name
    order_id text not null,
    saved_at timestamptz not null default clock_timestamp(),
    pem bytea not null,
    primary key (account, name)
);

create table pollers (
    account integer primary key references accounts,
    generation integer not null default 0,
    token text not null default '',
    session text not null default '',
    holder json,
    since timestamptz,
    expires timestamptz not null default 'epoch'
);

create table logins (
    account integer not null references accounts,
    login text not null,
    generation bigint not null default 0,   -- grows with every rotation
    rejected_at timestamptz,
    rejected_by json,
    rejected_code integer,
    rotated_at timestamptz,
    rotated_by json,
    primary key (account, login)
);

-- What was fetched from SCM, and can be fetched again.
create table fetched (
    account integer not null references accounts,
    name text not null,
    kept_at timestamptz not null,
    record json not null,
    primary key (account, name)
);

create function refuse_change() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' and current_setting('sectigo_tui.pruning', true) = 'on' then
        return old;
    end if;
    raise exception 'the timeline is only added to' using errcode = 'insufficient_privilege';
end $$;
create trigger entries_are_only_added before update or delete on entries
    for each row execute function refuse_change();
create trigger entries_are_not_emptied before truncate on entries
    for each statement execute function refuse_change();

create function account_of(the_base_url text, the_customer_uri text) returns integer
language plpgsql security definer set search_path = sectigo_tui, pg_temp as $$
declare found_id integer;
begin
    select id into found_id from accounts where base_url = the_base_url and customer_uri = the_customer_uri;
    if found_id is null then
        insert into accounts (base_url, customer_uri) values (the_base_url, the_customer_uri)
            on conflict do nothing;
        select id into found_id from accounts where base_url = the_base_url and customer_uri = the_customer_uri;
        insert into pollers (account) values (found_id) on conflict do nothing;
    end if;
    return found_id;
end $$;

create function lock_account(the_account integer) returns void
language sql security definer set search_path = sectigo_tui, pg_temp as $$
    select from accounts where id = the_account for update
$$;

-- A notice holds what changed, so that nobody has to ask; where that is too long, it says that they must.
create function tell(the_account integer, the_change bigint, the_sender text, what text) returns void
language plpgsql set search_path = sectigo_tui, pg_temp as $$
declare head text := '{"change":' || the_change || ',"sender":' || to_json(the_sender);
begin
    if octet_length(what) + octet_length(head) < 7900 then
        perform pg_notify('sectigo_tui_' || the_account, head || what || '}');
    else
        perform pg_notify('sectigo_tui_' || the_account, head || ',"ask":true}');
    end if;
end $$;

create function put(
    the_account integer, the_sender text, ids text[], revisions bigint[], states text[], removals boolean[],
    ssl_ids bigint[], renewals bigint[], names text[], the_version integer, documents text[],
    order_ids text[], ats timestamptz[], bodies text[]
) returns table (outcome text, other text, at_change bigint, at_seq bigint)
language plpgsql security definer set search_path = sectigo_tui, pg_temp as $$
declare
    head accounts%rowtype;
    known orders%rowtype;
    next_hash bytea;
begin
    select * into head from accounts where id = the_account for update;
    for i in 1 .. cardinality(bodies) loop
        outcome := 'done'; other := null; at_change := null; at_seq := null;
        if ids[i] is not null then
            select * into known from orders where account = the_account and id = ids[i];
            if revisions[i] <> coalesce(known.revision, 0) then
                outcome := 'conflict'; other := known.document::text;
                return next;
                continue;
            end if;
            if ssl_ids[i] is not null and not removals[i] then
                select id into other from orders
                    where account = the_account and ssl_id = ssl_ids[i] and not removed and id <> ids[i];
                if other is not null then
                    outcome := 'duplicate';
                    return next;
                    continue;
                end if;
            end if;
        end if;
        head.change := head.change + 1;
        head.seq := head.seq + 1;
        if ids[i] is not null then
            insert into orders as o (account, id, revision, change, state, removed, ssl_id, renews_ssl_id, common_name,
                                     version, document)
                values (the_account, ids[i], revisions[i] + 1, head.change, states[i], removals[i], ssl_ids[i],
                        renewals[i], names[i], the_version, documents[i]::json)
                on conflict (account, id) do update set revision = excluded.revision, change = excluded.change,
                    state = excluded.state, removed = excluded.removed, ssl_id = excluded.ssl_id,
                    renews_ssl_id = excluded.renews_ssl_id, common_name = excluded.common_name,
                    version = excluded.version, document = excluded.document;
        end if;
        next_hash := sha256(head.hash || convert_to(head.seq || ' ' || bodies[i], 'UTF8'));
        insert into entries (account, seq, order_id, at, prev, hash, body)
            values (the_account, head.seq, order_ids[i], ats[i], head.hash, next_hash, bodies[i]::json);
        head.hash := next_hash;
        perform tell(the_account, head.change, the_sender,
                     ',"seq":' || head.seq || ',"version":' || the_version || ',"order":'
                     || coalesce(documents[i], 'null') || ',"body":' || bodies[i]);
        at_change := head.change; at_seq := head.seq;
        return next;
    end loop;
    update accounts set change = head.change, seq = head.seq, hash = head.hash where id = the_account;
end $$;

create function note_polls(
    the_account integer, the_sender text, order_ids text[], revisions bigint[], notes text[], new_polls text[],
    most integer
) returns bigint
language plpgsql security definer set search_path = sectigo_tui, pg_temp as $$
declare now_at bigint;
begin
    update accounts set change = change + 1 where id = the_account returning change into now_at;
    for i in 1 .. cardinality(order_ids) loop
        insert into polls as p (account, order_id, change, revision, note, polls)
            values (the_account, order_ids[i], now_at, revisions[i], notes[i]::json,
                    case when new_polls[i] is null then '{}' else array[new_polls[i]::json] end)
            on conflict (account, order_id) do update set change = now_at,
                revision = greatest(p.revision, excluded.revision),
                note = case when excluded.revision >= p.revision then excluded.note else p.note end,
                polls = (p.polls || excluded.polls)
                    [greatest(1, cardinality(p.polls) + cardinality(excluded.polls) - most + 1):];
    end loop;
    perform tell(the_account, now_at, the_sender, ',"notes":[' || array_to_string(notes, ',') || ']');
    return now_at;
end $$;

create function save_certificate(the_account integer, the_order text, the_name text, the_pem bytea) returns void
language plpgsql security definer set search_path = sectigo_tui, pg_temp as $$
begin
    insert into certificates (account, name, order_id, pem)
        select account, replace(name, '.pem', '.previous.pem'), order_id, pem from certificates
        where account = the_account and name = the_name and pem <> the_pem
        on conflict (account, name) do update
            set order_id = excluded.order_id, pem = excluded.pem, saved_at = clock_timestamp();
    insert into certificates (account, name, order_id, pem) values (the_account, the_name, the_order, the_pem)
        on conflict (account, name) do update
            set order_id = excluded.order_id, pem = excluded.pem, saved_at = clock_timestamp()
            where certificates.pem <> excluded.pem;
end $$;

create function keep_fetched(the_account integer, the_sender text, the_name text, the_record text) returns void
language plpgsql security definer set search_path = sectigo_tui, pg_temp as $$
begin
    insert into fetched (account, name, kept_at, record)
        values (the_account, the_name, clock_timestamp(), the_record::json)
        on conflict (account, name) do update set kept_at = excluded.kept_at, record = excluded.record;
    perform pg_notify('sectigo_tui_' || the_account,
                      '{"sender":' || to_json(the_sender) || ',"fetched":' || to_json(the_name) || '}');
end $$;

-- The right to poll is held until it expires by this server's clock, or until the session that took it has ended:
-- that one holds the advisory lock of its generation.
create function take_lease(
    the_account integer, the_token text, the_session text, the_holder text, seconds double precision
) returns table (is_ours boolean, holder_now text, since_now timestamptz, seconds_left double precision)
language plpgsql security definer set search_path = sectigo_tui, pg_temp as $$
declare
    lease pollers%rowtype;
    at timestamptz;
    key integer := 1598249000 + the_account;
begin
    insert into pollers (account) values (the_account) on conflict do nothing;
    select * into lease from pollers where account = the_account for update;
    at := clock_timestamp();
    is_ours := true;
    if lease.token = the_token and lease.session = the_session and lease.expires > at then
        update pollers set expires = at + make_interval(secs => seconds) where account = the_account;
    elsif lease.token = the_token or lease.expires <= at or pg_try_advisory_xact_lock(key, lease.generation) then
        perform pg_advisory_lock(key, lease.generation + 1);
        lease.since := case when lease.token = the_token and lease.expires > at then lease.since else at end;
        lease.holder := the_holder::json;
        update pollers set generation = lease.generation + 1, token = the_token, session = the_session,
            holder = lease.holder, since = lease.since, expires = at + make_interval(secs => seconds)
            where account = the_account;
    else
        is_ours := false;
    end if;
    holder_now := lease.holder::text;
    since_now := lease.since;
    seconds_left := case when is_ours then seconds else extract(epoch from lease.expires - at) end;
    if is_ours then
        perform pg_notify('sectigo_tui_' || the_account,
                          '{"sender":' || to_json(the_token) || ',"lease":{"holder":' || lease.holder::text
                          || ',"since":' || to_json(lease.since) || ',"seconds":' || seconds || '}}');
    end if;
    return next;
end $$;

create function release_lease(the_account integer, the_token text) returns void
language plpgsql security definer set search_path = sectigo_tui, pg_temp as $$
declare lease pollers%rowtype;
begin
    select * into lease from pollers where account = the_account and token = the_token for update;
    if found then
        update pollers set token = '', session = '', expires = 'epoch' where account = the_account;
        perform pg_advisory_unlock(1598249000 + the_account, lease.generation);
        perform pg_notify('sectigo_tui_' || the_account, '{"sender":' || to_json(the_token) || ',"lease":{}}');
    end if;
end $$;

create function reject_login(
    the_account integer, the_sender text, the_login text, the_generation bigint, who text, the_code integer
) returns void
language plpgsql security definer set search_path = sectigo_tui, pg_temp as $$
begin
    insert into logins (account, login) values (the_account, the_login) on conflict do nothing;
    -- One who was slow does not stop those that use newer credentials.
    update logins set rejected_at = clock_timestamp(), rejected_by = who::json, rejected_code = the_code
        where account = the_account and login = the_login and generation = the_generation and rejected_at is null;
    perform pg_notify('sectigo_tui_' || the_account, '{"sender":' || to_json(the_sender) || ',"logins":true}');
end $$;

create function rotate_login(the_account integer, the_sender text, the_login text, who text) returns bigint
language plpgsql security definer set search_path = sectigo_tui, pg_temp as $$
declare at bigint;
begin
    insert into logins (account, login) values (the_account, the_login) on conflict do nothing;
    update logins set generation = generation + 1, rejected_at = null, rejected_by = null, rejected_code = null,
        rotated_at = clock_timestamp(), rotated_by = who::json
        where account = the_account and login = the_login returning generation into at;
    perform pg_notify('sectigo_tui_' || the_account, '{"sender":' || to_json(the_sender) || ',"logins":true}');
    return at;
end $$;

revoke all on all functions in schema sectigo_tui from public;
