with executed as (
	insert into orders (id, customer, amount, token)
	values (:#id, :#customer, :#amount, fence('orders', :#${exchangeProperty.ClusterToken}))
	on conflict (id) do nothing
	returning customer, amount)
insert into customers (customer, orders, total)
select customer, 1, amount from executed
on conflict (customer) do update set
	orders = customers.orders + 1,
	total = customers.total + excluded.total
