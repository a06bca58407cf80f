"""The codes of every category with their words, and the kinds of personal data that files must not contain."""

from data.reference.glossary import term

ALL_PERSONAL = frozenset({"names", "dates of birth", "phone numbers", "coordinates", "addresses", "identity numbers"})
COUNTRIES = {"AL": "Albania", "GR": "Greece"}
STAGES = {
    "at_risk": term("at_risk"),
    "recruited": "recruited",
    "in_exploitation": "in exploitation",
    "identified": "formally identified as a victim",
    "returning": "returning",
    "reintegrating": "reintegrating",
}
PATHWAYS = {
    "internal": term("internal_trafficking"),
    "al_to_gr": term("albania_to_greece"),
    "other_cross_border": f"other {term('cross_border_trafficking')}",
    "none_known": term("pathway_not_known"),
}
FORMS = {
    "begging": "begging",
    "street_work": term("street_labour"),
    "sexual_exploitation": "sexual exploitation",
    "labour": "labour exploitation",
    "crime": term("forced_criminality"),
    "other": "other",
}
AXES = {
    code: term(code)
    for code in ("prevention", "protection", "assisted_voluntary_return", "reintegration", "coordination")
}
FOUND = {"reported": term("reported"), "discovered": term("met_by_outreach")}
SEXES = {"female": "female", "male": "male", "unknown": "not known"}
AGES = {ages: f"{ages.replace('-', ' to ')} years" for ages in ("0-5", "6-9", "10-13", "14-17")}
AGES["unknown"] = "not known"
AFFILIATIONS = {"roma": "Roma", "egyptian": "Egyptian", "other": "other", "unknown": "not known"}
# What standards ask for beside these. No country is named: a country of citizenship could tell who a child is.
VICTIM_STATUSES = {
    "victim": "formally identified victim",
    "potential_victim": "potential victim, not formally identified",
    "declined": "meets the conditions, but declined to be identified",
    "no_victim": "found to be no victim",
    "other_status": "another legal status",
    "unknown": "not known",
}
IDENTIFYING_BODIES = {
    "police": "the police",
    "court": "a court or prosecutor",
    "state_service": "another state service",
    "non_governmental": "a non-governmental organisation",
    "other_body": "another body",
    "unknown": "not known",
}
CITIZENSHIP_GROUPS = {
    "own_country": "the country of the encounter",
    "eu_country": "another country of the European Union",
    "other_country": "another country outside the European Union",
    "stateless": "stateless",
    "unknown": "not known",
}
RECRUITMENT_METHODS = {
    "through_family": "through family",
    "through_friends": "through friends or acquaintances",
    "online": "on the internet",
    "advertisement": "through an advertisement on paper, radio or television",
    "work_or_school": "at work, at a business or at school",
    "other_method": "another method",
    "unknown": "not known",
}
MEANS_OF_CONTROL = {
    "threats": "threats",
    "violence": "physical or sexual abuse",
    "psychological_abuse": "psychological abuse",
    "debt_or_earnings": "debt, or taking money away",
    "false_promises": "false promises",
    "restriction": "no freedom to move, or documents or necessities withheld",
    "other_means": "another means",
    "unknown": "not known",
}
KINDS_OF_HELP = {
    "social": "social help",
    "psychological": "psychological help",
    "legal": "legal help",
    "economic": "economic help",
    "health": "health care",
    "education": "education",
    "shelter": "shelter",
    "other_help": "other help",
    "unknown": "not known",
}
SPANS = {"day": "one day", "week": "one week, from Monday"}
OUTREACH = {
    "street_outreach": "street outreach",
    "community_visit": "visit to a community",
    "school_visit": "visit to a school",
    "border_post": "outreach at a border crossing",
    "other": "other",
}
DUTY_BEARERS = {
    "state": "the state",
    "anti_trafficking_police": "the anti-trafficking police",
    "municipality": "a municipality",
    "school": "a school",
    "ngo": "an NGO",
    "community": "a community",
}
GROUPS = {"roma": "Roma", "egyptian": "Egyptian", "roma_and_egyptian": "Roma and Egyptian together"}
MEASURES = {
    "population": "population",
    "roma": "Roma population, as a number or a share of the area's population",
    "egyptian": "Egyptian population, as a number or a share of the area's population",
    "roma_and_egyptian": "Roma and Egyptian population together, as a number or a share",
    "roma_share_of_national": "the area's share of the country's Roma population",
    "victims": "victims and potential victims of trafficking identified in the year",
    "children_victims": "children among the victims",
    "found_by_mobile_units": "victims identified by mobile units",
    "mobile_unit_regions": "regions where mobile units worked",
}
STATUSES = {
    "read": "checked in the source",
    "census": "a census result",
    "provisional": "provisional in the source",
    "unverified": "not yet checked in the source (shown as provisional)",
}
PROVISIONAL = ("provisional", "unverified")
# What a unit of an indicator counts, in words without accents and with σ for ς. A word that begins with one of PEOPLE
# names people, one that begins with one of SHELTERS a protected place. Units without such words count services or
# things if they begin with SERVICES or THINGS. Every other unit is protected as a count of children.
PEOPLE = (
    "child", "girl", "boy", "minor", "victim", "survivor", "beneficiar", "person", "people", "wom", "famil", "parent",
    "household", "student", "pupil", "case",
    "femij", "mitur", "vajz", "djem", "djal", "viktim", "mbijetuar", "perfitues", "njerez", "njeri", "individ",
    "nxenes", "prind", "rast", "familj", "gra ", "grate ", "grave ", "grua", "adoleshent", "foshnj", "banor", "te rinj",
    "παιδ", "κοριτσ", "αγορ", "ανηλικ", "θυμα", "ατομ", "προσωπ", "ανθρωπ", "γυναικ", "οικογεν", "γονε", "μαθητ",
    "υποθεσ", "περιπτωσ", "ωφελουμεν", "εφηβ", "βρεφ", "επιζωσ", "επιζων", "νοικοκυρ", "φοιτητ", "ανδρ", "αντρ",
)  # fmt: skip
# A share of people is no count of them. It is named by a sign or by a word that begins so.
SHARE_SIGNS = ("%", "‰", "٪", "％")
SHARES = (
    "percent", "per cent", "share ", "shares ", "proportion", "rate ", "rates ", "ratio ",
    "perqind", "pjesa e ", "norma e ", "ποσοστ", "αναλογια ", "μεριδιο ",
)  # fmt: skip
SHELTERS = (
    "shelter", "centre", "center", "service place", "strehe", "strehim", "qendr", "ξενων", "καταφυγ", "κεντρ",
)  # fmt: skip
SERVICES = ("services", "social services", "sherbime", "υπηρεσιεσ", "κοινωνικεσ υπηρεσιεσ")
THINGS = (
    "meetings", "policies", "laws", "agreements", "protocols", "municipalities", "schools", "staff", "teachers",
    "police officers", "duty bearers", "active duty bearers", "initiatives", "tasks", "trainings", "campaigns", "euro",
    # Without the words for meetings, which are those for encounters with a child too.
    "politika", "ligje", "marreveshje", "protokolle", "bashki", "shkolla", "mesues", "aktore pergjegjes", "nisma",
    "detyra", "trajnime", "fushata",
    "πολιτικεσ", "νομοι", "συμφωνιεσ", "πρωτοκολλα", "δημοι", "σχολεια", "εκπαιδευτικοι", "αρμοδιοι φορεισ",
    "πρωτοβουλιεσ", "καθηκοντα", "εκπαιδευσεισ", "εκστρατειεσ", "ευρω",
)  # fmt: skip
