/// The recipes there are.
package enum Families {
    package static let all: [any (Family & Sendable).Type] = [
        LLaMA.self,
        GPT2.self,
        BERT.self,
        CLIP.self,
        ERNIE.self,
        Gemma.self,
        Gemma2.self,
        Gemma3.self,
        GLM.self,
        GLM4.self,
        Hunyuan.self,
        OLMo2.self,
        Phi3.self,
        Qwen2.self,
        Qwen3.self,
        SeedOSS.self,
        Spark.self,
        Aquila.self,
        BLOOM.self,
        Baichuan.self,
        CodeGen.self,
        Falcon.self,
        GPT2.self,
        GPTNeoX.self,
        IFlytekSpark.self,
        InternLM.self,
        InternLM2.self,
        LLaMA.self,
        OPT.self,
        PanguAlpha.self,
        PanguEmbedded.self,
        Qwen.self,
        Zhinao.self,
    ]

    package static func named(modelType: String) -> (any Family.Type)? {
        all.first { $0.modelTypes.contains(modelType) }
    }

    package static func named(ggufArchitecture: String) -> (any Family.Type)? {
        all.first { $0.ggufArchitectures.contains(ggufArchitecture) }
    }
}
