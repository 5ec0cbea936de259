-- What was paid a day, without shipping, by currency.
SELECT CAST(event_time AS DATE) AS day, currency, count(*) AS orders, sum(revenue) AS revenue
FROM typed.order_completed
GROUP BY ALL
ORDER BY day, currency
