"""How the files in this folder were made, by bmtk 1.2.0: ``python make.py``, where bmtk is installed."""

from bmtk.builder.networks import NetworkBuilder

TEMPLATES = {"delay": 2.0, "dynamics_params": "synapse.json", "model_template": "static_synapse"}

lgn, v1 = NetworkBuilder("lgn"), NetworkBuilder("v1")
lgn.add_nodes(N=6, model_type="virtual", ei="e")
for ei, n in (("e", 4), ("i", 2)):
    v1.add_nodes(N=n, model_type="point_neuron", ei=ei, model_template="nest:iaf_psc_alpha")
# two synapses each, with weights of their own, where the sum of the indices is a multiple of 3
relay = v1.add_edges(
    source=lgn.nodes(), target=v1.nodes(),
    connection_rule=lambda s, t: 2 if (s.node_id + t.node_id) % 3 == 0 else 0, **TEMPLATES,
)  # fmt: skip
relay.add_properties("syn_weight", rule=lambda s, t: 0.25 * (1 + s.node_id) + t.node_id, dtypes=float)
# one synapse from each inhibitory neuron onto each excitatory one, with one weight for all in the table of edge types
v1.add_edges(source={"ei": "i"}, target={"ei": "e"}, connection_rule=1, syn_weight=-1.5, **TEMPLATES)
for network in (v1, lgn):
    network.build()
    network.save(output_dir=".")
