"""The quality report's template (Jinja, escaped by default)."""

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Quality of recommendations: {{ report.data.source }}, {{ report.protocol }}</title>
<style>{{ style|safe }}
  td.better::after { content: " *"; color: var(--accent); font-weight: 700; } td.worse { color: #a14a1f; }
  tr.baseline td:first-child::after { content: "best baseline"; margin-left: 8px; padding: 1px 7px; border-radius: 9px;
    background: #fbeee3; color: #a14a1f; font-size: 11px; }
  .failed { color: #a14a1f; } .wide svg { max-width: 760px; } h3 { font-size: 15.5px; margin: 22px 0 4px; }
  details { margin-top: 14px; } summary { cursor: pointer; color: var(--soft); }
  .tile { display: inline-block; min-width: 148px; margin: 6px 22px 6px 0; } .tile b { display: block; font-size: 20px; }
  .tile small { color: var(--soft); }
</style>
</head>
<body><main>
<h1>Quality of recommendations</h1>
<p class="soft">{{ intro }}</p>
<div class="cards">
{% for card in cards %}<div class="card"><b>{{ card.value }}</b>{{ card.text }}<br><small>{{ card.against }}</small></div>
{% endfor %}</div>
<section>
<h2>The data</h2>
<p class="soft">{{ report.data.says[0]|upper }}{{ report.data.says[1:] }}</p>
{% for value, text in tiles %}<span class="tile"><b>{{ value }}</b><small>{{ text }}</small></span>{% endfor %}
</section>
{% for truth in truths %}
<section>
<h2>{{ truth.title[0]|upper }}{{ truth.title[1:] }}</h2>
<p class="soft">{{ "{:,}".format(truth.result.users) }} users with {{ "%.1f"|format(truth.result.items_per_user) }} items each on average.
Small figures are 95 % intervals. The best of each column is set bold; an asterisk marks what is better than the best baseline beyond
chance, brown what is worse.</p>
<div class="scroll"><table>
<thead><tr><th>model</th>{% for column in truth.columns %}<th title="{{ column.meaning }}">{{ column.title }}</th>
{% if loop.first %}<th>to baseline</th>{% endif %}{% endfor %}</tr></thead>
<tbody>{% for row in truth.rows %}<tr class="{{ row.kind }}"><td>{{ row.model }}</td>
{% for cell in row.cells %}<td class="{{ cell.kind }}">{{ cell.text }}{% if cell.small %}<small>{{ cell.small }}</small>{% endif %}</td>
{% endfor %}</tr>{% endfor %}</tbody></table></div>
<div class="plots wide">
<figure><figcaption>Ranking: NDCG@{{ report.k }}</figcaption>{{ truth.ranking }}</figure>
<figure><figcaption>Reach: recall@100</figcaption>{{ truth.reach }}</figure>
<figure><figcaption>What learning time buys</figcaption>{{ truth.time }}</figure>
{% if truth.segments %}<figure><figcaption>By segment of users</figcaption>{{ truth.segments }}</figure>{% endif %}
</div>
</section>
{% endfor %}
{% if windows %}<section>
<h2>Window by window</h2>
<p class="soft">NDCG@{{ report.k }} in each window of {{ report.weeks }} weeks: one lucky week proves nothing.</p>
{% for window in windows %}<h3>{{ window.title }}</h3><div class="scroll"><table>
<thead><tr><th>model</th>{% for name in window.names %}<th>{{ name }}</th>{% endfor %}</tr></thead>
<tbody>{% for model, cells in window.rows %}<tr><td>{{ model }}</td>{% for cell in cells %}<td>{% if cell %}{{ "%.4f"|format(cell.mean) }}
<small>{{ "%.4f"|format(cell.low) }} to {{ "%.4f"|format(cell.high) }}</small>{% endif %}</td>{% endfor %}</tr>{% endfor %}</tbody>
</table></div>{% endfor %}
</section>{% endif %}
{% if reliability %}<section>
<h2>Calibration</h2>
<p class="soft">Items in bins of equal size: how likely the model said they were to be bought, and how many were.</p>
<div class="plots"><figure>{{ reliability }}</figure></div>
</section>{% endif %}
<section>
<h2>What it costs</h2>
<p class="soft">Each model learned in a process of its own, on {{ report.cores }} cores ({{ report.threads }}).
Memory is the whole process's, libraries and data included.</p>
<div class="scroll"><table>
<thead><tr><th>model</th><th>learning, s</th><th>scoring, ms a user</th><th>peak memory, MiB</th><th>seeds</th>
<th>NDCG spread of seeds</th></tr></thead>
<tbody>{% for row in costs %}<tr><td>{{ row.name }}</td>{% if row.failure %}<td class="failed" colspan="5">failed: {{ row.failure }}</td>
{% else %}<td>{{ row.fit }}</td><td>{{ row.score }}</td><td>{{ row.memory }}</td><td>{{ row.seeds }}</td>
<td>{{ row.spread }}</td>{% endif %}
</tr>{% endfor %}</tbody></table></div>
</section>
<section>
<h2>How it is measured</h2>
<dl>
<dt>protocol</dt><dd>{{ protocol }}</dd>
{% for column in columns %}<dt>{{ column.title }}</dt><dd>{{ column.meaning }}</dd>
{% endfor %}<dt>intervals</dt><dd>95 %, bootstrap over users, the same 1,000 resamples for every model</dd>
<dt>significance</dt><dd>paired t-test against the best baseline, adjusted by Holm for all models compared</dd>
<dt>dataset</dt><dd><code>{{ report.data.fingerprint }}</code></dd>
<dt>command</dt><dd><code>{{ report.command }}</code></dd>
<dt>endcap</dt><dd>{{ report.endcap_version }}</dd>
</dl>
</section>
</main></body>
</html>
"""
