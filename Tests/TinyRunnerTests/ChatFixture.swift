import TinyModels
import TinyTestSupport

/// A fixture with a chat template, in a folder of its own, where the template is looked for at the first prompt.
struct ChatFixture {
    static let template =
        "{% for m in messages %}<|im_start|>{{ m['role'] }}\\n{{ m['content'] }}<|im_end|>\\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\\n{% endif %}"

    let folder = TemporaryFolder()
    let model: Model

    init() throws {
        for name in ["config.json", "model.safetensors", "tokenizer.json"] {
            folder.copy(Fixtures.path("llama-default/\(name)"), as: name)
        }
        folder.write("tokenizer_config.json", #"{"chat_template": "\#(Self.template)"}"#)
        model = try Model(at: folder.path, threads: 1)
    }
}
