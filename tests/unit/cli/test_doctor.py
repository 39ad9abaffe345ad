def test_a_healthy_machine_passes(demarc):
    shown = demarc(
        "doctor", "--http-port", "0", "--radius-auth-port", "0", "--radius-acct-port", "0"
    )
    assert "problem" not in shown.out
    assert "PostgreSQL" in shown.out


def test_a_problem_is_told_with_its_mend_and_the_exit_code(demarc, tmp_path):
    (tmp_path / "data" / "keys.toml").chmod(0o644)
    shown = demarc("doctor", "--json", code=1)
    (problem,) = [
        one for one in shown.json if one["state"] == "problem" and one["what"] == "key file"
    ]
    assert "chmod 600" in problem["says"]
    assert problem["mend"]
