//! Colour, where it is wanted. Nothing is said by colour alone.

use rashomon_core::Validity;

/// Adds colour, or leaves text as it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    pub(crate) on: bool,
}

impl Paint {
    fn wrap(self, code: &str, text: &str) -> String {
        if self.on { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// The first word of all, on a ground of its own.
    pub(crate) fn banner(self, valid: Validity, text: &str) -> String {
        let code = match valid {
            Validity::Valid => "1;30;42",
            Validity::Unknown => "1;30;43",
            Validity::Invalid => "1;97;41",
        };
        // Without colour the word stands alone; with it, the ground wants a margin.
        if self.on { self.wrap(code, &format!(" {text} ")) } else { text.to_owned() }
    }

    pub(crate) fn validity(self, valid: Validity, text: &str) -> String {
        let code = match valid {
            Validity::Valid => "32",
            Validity::Unknown => "33",
            Validity::Invalid => "1;31",
        };
        self.wrap(code, text)
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }

    pub(crate) fn faint(self, text: &str) -> String {
        self.wrap("2", text)
    }
}
