-- Each replica runs this when it starts; the lock makes them do so one after the other.
select pg_advisory_xact_lock(4712);

-- The orders that are executed, in that order.
create table if not exists orders (
	place    bigint generated always as identity,
	id       text primary key,
	customer text not null,
	amount   bigint not null,
	token    bigint not null
);

create table if not exists customers (
	customer text primary key,
	orders   bigint not null,
	total    bigint not null
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
