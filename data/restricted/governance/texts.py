"""The governance file, empty and invented, and the breach page, as `tact init` writes them."""

from __future__ import annotations

__all__ = ["BREACH", "INVENTED", "TEMPLATE"]

TEMPLATE = """\
# Who answers for these records, and on what ground. `tact release` needs all of it, `tact doctor` says
# what is missing. Text stands in "quotes", days are written 2009-05-31 without them. Lines with # are
# explanations. This is no legal advice: fill it in with your data protection officer.

[controllers]
# The organisations that decide together why and how the records are used (GDPR article 26), each by its
# name:
# names = ["Organisation A", "Organisation B"]
names = []
# Where their arrangement is kept, and its day.
arrangement = ""

[legal_basis]
# Data on health, ethnic origin and the like: which condition of GDPR article 9(2), or of the Albanian
# law?
special_categories = ""
# Data on offences, of or against the child: which law allows it (GDPR article 10)?
offences = ""

[impact_assessment]
# The day on which the data protection impact assessment was finished (GDPR article 35).
# date = 2009-02-16

[retention]
# After how many months without an encounter are all records of a child deleted? It happens by itself, at
# each import and each release.
# months = 60

[transfer]
# On what basis do records pass between Albania and Greece (GDPR chapter V; Albanian law no. 124/2024)?
basis = ""

# Who approved this processing: two different people. One of them confirms each release with a passphrase
# (`tact second`), and it should not be the person who runs the commands.
# [[approved]]
# name = ""
# role = ""
# date = 2009-03-02
#
# [[approved]]
# name = ""
# role = ""
# date = 2009-03-02

[communities]
# Layers of communities leave only with the Roma partner's approval. The decision is theirs: "approved",
# "blocked" or "withdrawn" (an approval that was taken back).
partner = ""
decision = ""
# date = 2009-03-02

# Who may receive partner files (`tact export --tier partner --for NAME`), one block each. Who is not
# listed gets nothing. kind is "partner", "police" or "migration"; police and migration authorities stay
# closed, with an agreement too, unless `opened` says why and who decided. An agreement may end.
# [[agreements]]
# receiver = ""
# kind = "partner"
# signed = 2009-03-02
# ends = 2011-03-01
"""

INVENTED = """\
# INVENTED: nobody named here exists and nobody approved anything. It lets you practise with invented records.
# A workspace for real records gets an empty file with explanations.
invented = true

[controllers]
names = ["Invented Organisation A", "Invented Organisation B"]
arrangement = "Invented."

[legal_basis]
special_categories = "Invented."
offences = "Invented."

[impact_assessment]
date = 2006-05-02

[retention]
# Long, so that invented records of the years 2006 to 2009 stay.
months = 1200

[transfer]
basis = "Invented."

[[approved]]
name = "Invented Person A"
role = "Invented director"
date = 2006-05-09

[[approved]]
name = "Invented Person B"
role = "Invented data protection officer"
date = 2006-05-09

[communities]
partner = "Invented Roma Association"
decision = "approved"
date = 2006-05-09

[[agreements]]
receiver = "Invented Partner"
kind = "partner"
signed = 2006-05-09
"""

BREACH = """\
# When records may have got into wrong hands

A breach is any loss, theft, change or disclosure of records: a laptop or a backup that is gone, a file
sent to the wrong address, somebody who looked without being allowed to, a number in a release that gives
a child away. You need not be sure. Print this page and write the telephone numbers on it now:

- Data officer: ______________________________
- Data protection officer: ______________________________
- Second person: ______________________________
- Child protection lead, Albania: ______________________________
- Child protection lead, Greece: ______________________________

## The first hour

1. Write down the time at which you noticed. The 72 hours below count from it.
2. Think of the children first. Could somebody find a child, or learn who spoke to you? Call the child
   protection lead at once; do not wait until everything is known.
3. Stop it: end `tact serve` (Ctrl+C), disconnect the machine from the network, take back the file or the
   access. Do not switch the machine off and delete nothing: both destroy traces.
4. Call the data protection officer and the second person.
5. Tell nobody else yet, and put no child's name into a message.

## The first day

1. Find out what was exposed:
   - the workspace folder without its keys: the records are encrypted; say so, with the day of the last
     backup;
   - the keys or a backup with its passphrase as well: treat all records as read;
   - the identifier key alone: records cannot be read, but whoever knows a child can test whether it is in
     the forget log, and can work out what it adds to the noise of published numbers;
   - partner files: protected, not anonymous. `exports.csv` in the workspace says who received which;
   - a public release: run `tact audit`, and see what it names.
2. Change passwords. If keys may be known, tell the data protection officer: keys cannot be changed in
   place.
3. Write down what happened, when, what was exposed, about how many children, what you did. You must keep
   this record even if nobody has to be notified (GDPR article 33(5)).
4. Decide with the data protection officer and every controller in governance.toml whether there is a risk
   for anybody. With children in this programme, assume that there is.

## Within 72 hours

- **Greece**: notify the Hellenic Data Protection Authority without undue delay, where feasible within 72
  hours of having become aware of it (GDPR article 33; Law 4624/2019). Later needs reasons. What is not
  known yet may follow.
- **Albania**: notify the Commissioner for the Right to Information and Personal Data Protection under Law
  no. 124/2024 on personal data protection, which replaced Law no. 9887 of 2008. Work to the same 72
  hours, and have the data protection officer confirm which rules of the law apply to you on that day.
- Tell them: what happened; about how many children and records, and of which kinds; who answers
  questions; what may follow from it; what you have done and will do.
- **The children and families**: where the risk for them is high they must be told without undue delay, in
  plain words (GDPR article 34). The child protection lead decides how, so that telling does no harm. A
  letter to the wrong address is a second breach.
- Tell the partners whose records they are, and the Roma partner where layers of communities are
  concerned.

## Afterwards

- Never hand records to the police to explain the breach; report the facts. Who may receive data is in
  governance.toml.
- Write down what will be different, and who does it until when.
- `tact forget` forgets a child whose records should no longer be kept; destroy backups that hold them.
"""
