-- Each replica runs this when it starts; the lock makes them do so one after the other.
select pg_advisory_xact_lock(4711);

create table if not exists accounts (
	id      bigint primary key,
	balance bigint not null
);
insert into accounts select id, 0 from generate_series(1, 10) id
on conflict (id) do nothing;

-- The ticks that are done. A tick is known by the time when it was due, so that it is the
-- same one for whoever does it again.
create table if not exists ticks (
	due     timestamptz primary key,
	token   bigint not null,
	replica text not null
);

-- The greatest fencing token that was seen, for each lock.
create table if not exists fences (
	lock  text primary key,
	token bigint not null
);

-- fence(l, t) is t, or an error where somebody has been here with a greater token of the
-- lock: then who asks is a former leader that does not know it yet.
create or replace function fence(wanted text, mine bigint) returns bigint language plpgsql as $$
begin
	insert into fences values (wanted, mine)
	on conflict (lock) do update set token = excluded.token where fences.token <= excluded.token;
	if not found then
		raise exception 'token % of lock % is stale', mine, wanted;
	end if;
	return mine;
end $$;
