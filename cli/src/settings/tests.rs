//! Names, precedence and values of settings.

use clap::{Args as _, Command};

use super::*;

#[test]
fn every_setting_has_one_name_as_flag_in_the_environment_and_in_the_file() {
    let command = Settings::augment_args(Command::new("test"));
    let mut names = 0;
    for argument in command.get_arguments() {
        let flag = argument.get_long().unwrap();
        let variable = argument.get_env().unwrap().to_str().unwrap();
        assert_eq!(variable, format!("TUPPENCE_{}", flag.to_uppercase().replace('-', "_")));
        // A file that knows the name complains at most of the value.
        let error = toml::from_str::<Settings>(&format!("{flag} = {{}}")).unwrap_err().to_string();
        assert!(!error.contains("unknown field"), "{flag}: {error}");
        names += 1;
    }
    assert!(names > 20);
}

#[test]
fn a_flag_goes_before_the_file_and_the_file_before_what_is_built_in() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.toml");
    std::fs::write(&path, "center-port = 9000\nstorefront-port = 9001\npayout-fee = \"0.10\"\n").unwrap();
    let given = Settings { center_port: Some(7000), ..Settings::default() };
    let settings = given.over(&path).unwrap();
    assert_eq!((settings.center_port(), settings.storefront_port()), (7000, 9001));
    assert_eq!(settings.policy().unwrap().payout_fee, "USD:0.1".parse().unwrap());
    assert_eq!(settings.policy().unwrap().balance_max, Policy::new(Currency::USD).balance_max);
}

#[test]
fn a_mistake_in_the_file_is_told_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.toml");
    for (text, told) in [
        ("center-port = 9000\ncentre-name = \"x\"\n", "line 2"),
        ("center-port = \"many\"\n", "center-port"),
        ("center-port = ", "line 1"),
    ] {
        std::fs::write(&path, text).unwrap();
        let failure = format!("{:?}", Settings::default().over(&path).unwrap_err());
        assert!(failure.contains(told), "{failure}");
    }
}

#[test]
fn the_file_has_the_limits_that_flags_have() {
    for (text, fits) in [
        ("challenge-bits = 28", true),
        ("challenge-bits = 29", false),
        ("fee-basis-points = 10000", true),
        ("fee-basis-points = 10001", false),
    ] {
        let settings = Settings::default().over_text("a.toml", text).unwrap();
        assert_eq!(settings.policy().is_ok(), fits, "{text}");
    }
    for (text, fits) in [("budget-days = 90", true), ("budget-days = 91", false), ("budget-days = 0", false)]
    {
        let settings = Settings::default().over_text("a.toml", text).unwrap();
        assert_eq!(settings.till().is_ok(), fits, "{text}");
    }
}

#[test]
fn sums_are_read_in_the_centers_currency() {
    let sum =
        |text: &str| text.parse::<Sum>().unwrap().amount("x", Currency::USD).ok().map(|a| a.to_string());
    assert_eq!(sum("0.10").as_deref(), Some("USD:0.1"));
    assert_eq!(sum("5").as_deref(), Some("USD:5"));
    assert_eq!(sum("5.00").as_deref(), Some("USD:5"));
    assert_eq!(sum("10").as_deref(), Some("USD:10"));
    assert_eq!(sum("USD:0.05").as_deref(), Some("USD:0.05"));
    for wrong in ["EUR:1", "-1", "", "1e3", "0,05", "0.0000001"] {
        assert_eq!(sum(wrong), None, "{wrong}");
    }
}

#[test]
fn origins_are_written_as_browsers_write_them() {
    let text = |text| Origin::parse("x", text).ok().map(|origin| origin.text);
    assert_eq!(text("https://shop.example/").as_deref(), Some("https://shop.example"));
    assert_eq!(text("https://shop.example:443").as_deref(), Some("https://shop.example"));
    assert_eq!(text("http://localhost:8081").as_deref(), Some("http://localhost:8081"));
    assert_eq!(text("http://localhost:08081").as_deref(), Some("http://localhost:8081"));
    for wrong in [
        "shop.example",
        "ftp://a",
        "https://",
        "https://a/b",
        "https://A",
        "http://a:b",
        "http://a b",
        "http://a:+8081",
        "http://a:0",
        "http://a:",
        "http://.",
        "http://-a",
    ] {
        assert_eq!(text(wrong), None, "{wrong}");
    }
}
