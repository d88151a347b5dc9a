//! The words of the offer in another site's page, in the page's language.

/// What the offer says. `{price}` stands in for the price.
#[derive(Debug)]
pub(super) struct Words {
    /// The language's tag.
    pub(super) language: &'static str,
    /// What the section is, for screen readers.
    pub(super) name: &'static str,
    /// That the rest is sold.
    pub(super) rest: &'static str,
    read: &'static str,
    /// What asks how it works.
    pub(super) question: &'static str,
    answer: &'static str,
}

impl Words {
    /// The button.
    pub(super) fn read(&self, price: &str) -> String {
        self.read.replace("{price}", price)
    }

    /// How it works.
    pub(super) fn answer(&self, price: &str) -> String {
        self.answer.replace("{price}", price)
    }
}

/// The words of the language with this tag; English for others.
pub(super) fn words(tag: Option<&str>) -> &'static Words {
    let language = tag.and_then(|tag| tag.split('-').next()).unwrap_or_default();
    WORDS.iter().find(|words| words.language.eq_ignore_ascii_case(language)).unwrap_or(&WORDS[0])
}

const WORDS: [Words; 3] = [
    Words {
        language: "en",
        name: "The rest of this article",
        rest: "The rest of this article is for sale.",
        read: "Read for {price}",
        question: "What is this?",
        answer: "You pay {price} with e-cash from a wallet in your browser, which asks for no name, e-mail address or card. \
            If your wallet is empty, you earn your first cents by answering a question.",
    },
    Words {
        language: "ko",
        name: "이 글의 나머지",
        rest: "이 글의 나머지는 유료입니다.",
        read: "{price}에 읽기",
        question: "이게 무엇인가요?",
        answer: "브라우저 안의 지갑에 있는 전자 화폐로 {price}를 냅니다. 이름도 이메일 주소도 카드도 묻지 않습니다. \
            지갑이 비어 있다면 질문 하나에 답해 첫 돈을 벌 수 있습니다.",
    },
    Words {
        language: "ja",
        name: "この記事の続き",
        rest: "この記事の続きは有料です。",
        read: "{price}で読む",
        question: "これは何ですか？",
        answer: "ブラウザーの中の財布にある電子マネーで{price}を支払います。名前もメールアドレスもカードも必要ありません。\
            財布が空なら、質問に一つ答えて最初のお金を受け取れます。",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offer_speaks_the_page_s_language_and_else_english() {
        for (tag, language) in [
            (Some("ko"), "ko"),
            (Some("ja-JP"), "ja"),
            (Some("KO-kr"), "ko"),
            (Some("de"), "en"),
            (Some(""), "en"),
            (None, "en"),
        ] {
            assert_eq!(words(tag).language, language, "{tag:?}");
        }
        for words in &WORDS {
            assert!(
                words.read("3¢").contains("3¢") && words.answer("3¢").contains("3¢"),
                "{}",
                words.language
            );
            assert!(
                !words.read("3¢").contains('{') && !words.answer("3¢").contains('{'),
                "{}",
                words.language
            );
        }
    }
}
