//! The age program that opens archives without any code of ours.

use std::fs;
use std::process::Command;

use tintype_testkit::provided;

/// An identity made for this test, and a message sealed to it.
const IDENTITY: &str = "AGE-SECRET-KEY-1P20YA4SLYKGW0N7W39NW3KZ3MDE2QQNUA05G4V6X6MPRE68CWYWQMAGZWX";
const SEALED: &str = "\
-----BEGIN AGE ENCRYPTED FILE-----\n\
YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSBydVRUMkxDaXltSWk4RCtC\n\
MW5uT3A0ZlZkRSt3OEREOXlFTHV3L1ZXeTNZCkgyS3ltZEswMndxUHRLa0EyeTQ5\n\
SndOc3dyV3RvM3NVUEJQOXFTblZOUFUKLT4gNlY2UFtqIi1ncmVhc2UgMyUlellI\n\
IElbS00KMURBeGtqT3pOUzUvVlpxaDVYNlA5NFI3OHZwYU1WNWlkZzNoa0F0VnA2\n\
cCtSaHBOeW5wK0FraFphVkFIcElqYgpNNHZiMFhzTUxQYURhQWpEbURDOVRiS09W\n\
YUNSRlJNOGtVZTVMUjZqdGFUalBRVGlnWXdzOGxtN2EreU9LZwotLS0gaUhHV0w1\n\
YTNSdnk5ZUVBd0lnVHhNL2QwYXVqWkhvTVVkVUUzc3Vpb2hwWQp9tG3lWAeWCR4x\n\
2EEXCxeU9N2GtAPgNQ6zG6D8CSbd405M/5BIUaA=\n\
-----END AGE ENCRYPTED FILE-----\n\
";

#[test]
fn the_age_program_opens_a_sealed_file() {
    let folder = tempfile::tempdir().unwrap();
    let (key, file) = (
        folder.path().join("key.txt"),
        folder.path().join("message.age"),
    );
    fs::write(&key, format!("# made for a test\n{IDENTITY}\n")).unwrap();
    fs::write(&file, SEALED).unwrap();

    let opened = Command::new(provided::age())
        .arg("-d")
        .arg("-i")
        .args([&key, &file])
        .output()
        .unwrap();

    assert_eq!(String::from_utf8_lossy(&opened.stderr), "");
    assert_eq!(String::from_utf8_lossy(&opened.stdout), "a photo");
}
