"""The codes of every category and their plain words, and the sorts of personal column."""

ALL_PERSONAL = frozenset(
    {"names", "birth dates", "phone numbers", "coordinates", "addresses", "identity numbers"}
)
COUNTRIES = {"AL": "Albania", "GR": "Greece"}
STAGES = {
    "at_risk": "at risk",
    "recruited": "recruited",
    "in_exploitation": "in exploitation",
    "identified": "identified",
    "returning": "returning",
    "reintegrating": "reintegrating",
}
PATHWAYS = {
    "internal": "internal, within one country",
    "al_to_gr": "Albania to Greece",
    "other_cross_border": "other cross-border",
    "none_known": "none known",
}
FORMS = {
    "begging": "begging",
    "street_work": "street work",
    "sexual_exploitation": "sexual exploitation",
    "labour": "labour",
    "crime": "crime that the child was made to commit",
    "other": "other",
}
AXES = {
    "prevention": "prevention",
    "protection": "protection",
    "assisted_voluntary_return": "assisted voluntary return",
    "reintegration": "reintegration",
    "coordination": "coordination",
}
FOUND = {
    "reported": "reported to the partner by someone else",
    "discovered": "discovered by the partner's own outreach",
}
SEXES = {"female": "female", "male": "male", "unknown": "not known"}
AGES = {
    "0-5": "0 to 5 years",
    "6-9": "6 to 9 years",
    "10-13": "10 to 13 years",
    "14-17": "14 to 17 years",
    "unknown": "not known",
}
AFFILIATIONS = {"roma": "Roma", "egyptian": "Egyptian", "other": "other", "unknown": "not known"}
SPANS = {"day": "one day", "week": "one week, from Monday"}
OUTREACH = {
    "street_outreach": "street outreach",
    "community_visit": "visit to a community",
    "school_visit": "visit to a school",
    "border_post": "presence at a border post",
    "other": "other",
}
DUTY_BEARERS = {
    "state": "the state",
    "anti_trafficking_police": "the anti-trafficking police",
    "municipality": "a municipality",
    "school": "a school",
    "ngo": "a non-governmental organisation",
    "community": "a community",
}
GROUPS = {"roma": "Roma", "egyptian": "Egyptian", "roma_and_egyptian": "Roma and Egyptian together"}
MEASURES = {
    "population": "inhabitants",
    "roma": "Roma inhabitants, as a number or a share of the area's population",
    "egyptian": "Egyptian inhabitants, as a number or a share of the area's population",
    "roma_and_egyptian": "Roma and Egyptian inhabitants together, as a number or a share",
    "roma_share_of_national": "the area's share of the country's Roma population",
    "victims": "victims and potential victims of trafficking identified in the year",
    "children_victims": "children among them",
    "found_by_mobile_units": "victims found by mobile units",
    "mobile_unit_regions": "regions in which mobile units worked",
}
STATUSES = {
    "read": "read in the source",
    "census": "a census result",
    "provisional": "provisional at its source",
    "unverified": "not yet checked against the source",
}
