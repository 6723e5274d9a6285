with tick as (
	insert into ticks (due, token, replica)
	values (:#scheduledFireTime, fence('interest', :#${exchangeProperty.ClusterToken}), :#replica)
	on conflict (due) do nothing
	returning due)
update accounts set balance = balance + 1 from tick
