from scripts.audit import told

CLEAN = {"name": "a", "version": "1", "vulns": []}
HIT = {"name": "b", "version": "2", "vulns": [{"id": "CVE-1", "fix_versions": ["3", "4"]}]}
HOPELESS = {"name": "c", "version": "3", "vulns": [{"id": "CVE-2", "fix_versions": []}]}
UNKNOWN = {"name": "d", "skip_reason": "not found"}


def test_each_vulnerability_is_named_with_its_remedy():
    words, found = told({"dependencies": [CLEAN, HIT, HOPELESS]})
    assert found == 2
    assert words == [
        "b 2: CVE-1, fixed in 3, 4",
        "c 3: CVE-2, fixed in no version",
        "3 packages audited, 2 vulnerabilities",
    ]


def test_what_could_not_be_asked_about_is_not_called_audited():
    words, found = told({"dependencies": [CLEAN, UNKNOWN]})
    assert found == 0
    assert words == [
        "1 packages audited, 0 vulnerabilities",
        "not audited: 1 packages of which the advisories do not know",
    ]
